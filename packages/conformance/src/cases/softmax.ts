// Softmax and its logarithm: rows of every length, values that overflow unless the largest is subtracted first.
import { logSoftmax, slice, softmax, transpose } from '@transept/tensor';
import type { Graph, Shape, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, uniform } from '../random.ts';

const fns = { softmax, logSoftmax } as const;
type Name = keyof typeof fns;

const softmaxCase = (op: Name, name: string, input: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op,
  name,
  build: (g) => ({ out: fns[op](input(g)) }),
  ...more,
});

const ofShape = (op: Name, shape: Shape, more: Partial<OpCase> = {}): OpCase =>
  softmaxCase(op, `[${shape.join(', ')}]`, (g) => g.input('x', shape), { contents: { x: uniform(-4, 4) }, ...more });

export const softmaxCases: readonly OpCase[] = (['softmax', 'logSoftmax'] as const).flatMap((op) => [
  ...[1, 2, 3, 5, 8, 31, 64, 65, 127, 256, 257, 1025].map((n) => ofShape(op, [3, n], n % 2 ? { start: 'odd' } : {})),
  ofShape(op, [1, 6001]),
  ofShape(op, [67, 33]),
  ofShape(op, [2, 3, 4, 5]),
  ofShape(op, [0, 4]),
  softmaxCase(op, 'large values', (g) => g.input('x', [4, 37]), { contents: { x: uniform(9000, 9010) } }),
  softmaxCase(op, 'far below zero', (g) => g.input('x', [4, 37]), { contents: { x: uniform(-9010, -9000) } }),
  softmaxCase(op, 'one far above the others', (g) => g.input('x', [5, 40]), {
    contents: { x: (r, i) => (i % 40 === 17 ? 60 : r.uniform(-60, 0)) },
  }),
  softmaxCase(op, 'the largest comes last', (g) => g.input('x', [3, 70]), { contents: { x: (_, i) => (i % 70) * 3 } }),
  softmaxCase(op, 'the largest comes first', (g) => g.input('x', [3, 70]), {
    contents: { x: (_, i) => (i % 70) * -3 },
  }),
  softmaxCase(op, 'all equal', (g) => g.input('x', [3, 50]), { contents: { x: cycle([2.5]) } }),
  softmaxCase(op, 'masked by a large negative number', (g) => g.input('x', [4, 33]), {
    contents: { x: (r, i) => (i % 3 ? r.uniform(-1, 1) : -3.4e38) },
  }),
  softmaxCase(op, 'along the first axis', (g) => transpose(g.input('x', [19, 6]))),
  softmaxCase(op, 'rows apart', (g) => slice(g.input('x', [6, 40]), 1, 3, 30), { start: 'odd' }),
  softmaxCase(op, 'every second element', (g) => slice(g.input('x', [6, 40]), 1, 1, 40, 2)),
  softmaxCase(op, 'f16', (g) => g.input('x', [5, 21], 'f16')),
  softmaxCase(op, '−Inf hides', (g) => g.input('x', [4, 21]), {
    special: true,
    contents: { x: (r, i) => (i % 4 === 1 ? -Infinity : r.uniform(-2, 2)) },
  }),
  { ...ofShape(op, [256, 1024]), name: '[256, 1024]', forSpeed: true },
]);
