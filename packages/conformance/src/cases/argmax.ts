// The place of the largest value: the first of equal ones, at the ends, in long rows.
import { argmax, slice, transpose } from '@transept/tensor';
import type { Graph, Shape, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers } from '../random.ts';

const argmaxCase = (name: string, input: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op: 'argmax',
  name,
  build: (g) => ({ out: argmax(input(g)) }),
  ...more,
});

const ofShape = (shape: Shape, more: Partial<OpCase> = {}): OpCase =>
  argmaxCase(`[${shape.join(', ')}]`, (g) => g.input('x', shape), more);

export const argmaxCases: readonly OpCase[] = [
  ...[1, 2, 3, 31, 64, 65, 255, 257, 1025].map((n) => ofShape([4, n], n % 2 ? { start: 'odd' } : {})),
  ofShape([2, 6001]),
  ofShape([129, 5]),
  ofShape([2, 3, 7]),
  ofShape([0, 4]),
  argmaxCase('the first of equal ones', (g) => g.input('x', [20, 77]), { contents: { x: integers(0, 3) } }),
  argmaxCase('all equal', (g) => g.input('x', [3, 130]), { contents: { x: cycle([-2]) } }),
  argmaxCase('the last one', (g) => g.input('x', [3, 300]), { contents: { x: (_, i) => i % 300 } }),
  argmaxCase('all below zero', (g) => g.input('x', [5, 90]), { contents: { x: (r) => -1 - r.unit() } }),
  argmaxCase('beyond what f16 has', (g) => g.input('x', [2, 5000]), {
    contents: { x: (r, i) => (i === 4097 || i === 5000 + 4999 ? 2 : r.unit()) },
  }),
  argmaxCase('the most negative number', (g) => g.input('x', [2, 40]), {
    contents: { x: (_, i) => (i % 40 === 23 ? -3.39e38 : -3.4e38) },
  }),
  argmaxCase('along the first axis', (g) => transpose(g.input('x', [50, 4]))),
  argmaxCase('rows apart', (g) => slice(g.input('x', [6, 44]), 1, 2, 39), { start: 'odd' }),
  argmaxCase('−Inf everywhere else', (g) => g.input('x', [3, 40]), {
    special: true,
    contents: { x: (_, i) => (i % 40 === 11 ? -1e30 : -Infinity) },
  }),
  { ...ofShape([64, 8192]), name: '[64, 8192]', forSpeed: true },
];
