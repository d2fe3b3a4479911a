// Layer and root mean square normalisation: widths of every kind, rows of equal values, eps that matters.
import { layerNorm, rmsNorm, slice, transpose } from '@transept/tensor';
import type { Graph, Shape, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, uniform } from '../random.ts';

type Name = 'layerNorm' | 'rmsNorm';

const normCase = (
  op: Name,
  name: string,
  input: (g: Graph) => Tensor,
  eps = 1e-5,
  more: Partial<OpCase> = {},
): OpCase => ({
  op,
  name,
  build: (g) => {
    const x = input(g);
    const width = x.shape.slice(-1);
    const weight = g.parameter('weight', width);
    return { out: op === 'rmsNorm' ? rmsNorm(x, weight, eps) : layerNorm(x, weight, g.parameter('bias', width), eps) };
  },
  ...more,
  contents: { weight: uniform(0.5, 1.5), ...more.contents },
});

const ofShape = (op: Name, shape: Shape, more: Partial<OpCase> = {}): OpCase =>
  normCase(op, `[${shape.join(', ')}]`, (g) => g.input('x', shape), 1e-5, more);

export const normCases: readonly OpCase[] = (['layerNorm', 'rmsNorm'] as const).flatMap((op) => [
  ...[1, 2, 3, 8, 31, 32, 63, 64, 65, 172, 255, 256, 257, 1023].map((n) =>
    ofShape(op, [3, n], n % 2 ? { start: 'odd' } : {}),
  ),
  ofShape(op, [1, 512]),
  ofShape(op, [130, 33]),
  ofShape(op, [2, 3, 5, 16]),
  ofShape(op, [0, 8]),
  normCase(op, 'a large eps', (g) => g.input('x', [6, 40]), 0.5),
  normCase(op, 'a small eps and small values', (g) => g.input('x', [6, 40]), 1e-12, {
    contents: { x: uniform(-1e-3, 1e-3) },
  }),
  normCase(op, 'values smaller than eps', (g) => g.input('x', [6, 40]), 1e-3, {
    contents: { x: uniform(-1e-2, 1e-2) },
  }),
  normCase(op, 'zeros', (g) => g.input('x', [3, 40]), 1e-5, { contents: { x: cycle([0]) } }),
  normCase(op, 'equal values', (g) => g.input('x', [3, 64]), 1e-2, { contents: { x: cycle([0.5]) } }),
  normCase(op, 'a mean far from zero', (g) => g.input('x', [4, 128]), 1e-5, { contents: { x: uniform(30, 32) } }),
  normCase(op, 'large values', (g) => g.input('x', [4, 64]), 1e-5, { contents: { x: uniform(-1e6, 1e6) } }),
  normCase(op, 'rows apart', (g) => slice(g.input('x', [6, 70]), 1, 5, 42), 1e-5, { start: 'odd' }),
  normCase(op, 'columns', (g) => transpose(g.input('x', [24, 7]))),
  normCase(op, 'every second element', (g) => slice(g.input('x', [5, 66]), 1, 0, 66, 2)),
  normCase(op, 'f16', (g) => g.input('x', [4, 30], 'f16')),
  { ...ofShape(op, [512, 768]), name: '[512, 768]', forSpeed: true },
]);
