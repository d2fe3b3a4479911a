// Sums, products and extremes: rows of every length around what one group of workers adds, many rows and few, any strides.
import { max, min, prod, slice, sum, transpose, broadcastTo } from '@transept/tensor';
import type { DType, Graph, ReduceOptions, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers, uniform } from '../random.ts';

type Reduce = (x: Tensor, options?: ReduceOptions) => Tensor;
const fns: Readonly<Record<string, Reduce>> = { sum, max, min, prod };

const reduceCase = (name: string, build: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op: 'reduce',
  name,
  build: (g) => ({ out: build(g) }),
  ...more,
});

const rows = (fn: string, shape: readonly number[], options: ReduceOptions = {}, more: Partial<OpCase> = {}): OpCase =>
  reduceCase(
    `${fn} of [${shape.join(', ')}]${options.axes ? ` over ${options.axes.join(', ')}` : ''}`,
    (g) => fns[fn]!(g.input('x', shape), options),
    more,
  );

const ofType = (fn: string, dtype: DType, more: Partial<OpCase> = {}): OpCase =>
  reduceCase(`${fn} of ${dtype}`, (g) => fns[fn]!(g.input('x', [11, 37], dtype)), more);

export const reduceCases: readonly OpCase[] = [
  ...Object.keys(fns).map((fn) => rows(fn, [5, 33], {}, { contents: { x: uniform(0.5, 1.5) } })),
  ...[1, 2, 3, 4, 63, 64, 65, 127, 255, 256, 257, 1023, 1025].map((n) =>
    rows('sum', [3, n], {}, n % 2 ? { start: 'odd' } : {}),
  ),
  rows('sum', [1, 20011]),
  rows('max', [1, 8191]),
  rows('sum', [1031, 3]),
  rows('sum', [257, 64]),
  rows('sum', [0, 5]),
  ...Object.keys(fns).map((fn) => rows(fn, [4, 0])),
  rows('sum', [3, 5, 7], { axes: [0] }),
  rows('max', [3, 5, 7], { axes: [1] }),
  rows('sum', [3, 5, 7], { axes: [0, 2] }),
  rows('sum', [3, 5, 7], { axes: [0, 1, 2] }),
  rows('min', [2, 3, 4, 5], { axes: [1, 3] }, { start: 'odd' }),
  rows('sum', [6, 9, 2], { axes: [1], keepDims: false }),
  reduceCase('every third element', (g) => sum(slice(g.input('x', [5, 40]), 1, 1, 40, 3))),
  reduceCase('one element many times', (g) => sum(broadcastTo(g.input('x', [6, 1]), [6, 50]))),
  reduceCase('turned, then the first axis', (g) => max(transpose(g.input('x', [17, 9])), { axes: [0] })),
  reduceCase('sums that cancel', (g) => sum(g.input('x', [8, 200])), {
    contents: { x: (r, i) => (i % 2 ? -1 : 1) * (1e4 + r.uniform(0, 1)) },
  }),
  reduceCase('extremes below zero', (g) => max(g.input('x', [9, 70])), { contents: { x: uniform(-9, -8) } }),
  reduceCase('extremes above zero', (g) => min(g.input('x', [9, 70])), { contents: { x: uniform(8, 9) } }),
  ...Object.keys(fns).map((fn) => ofType(fn, 'i32', { contents: { x: integers(-5000, 5000) } })),
  ofType('sum', 'f16'),
  ofType('max', 'f16'),
  reduceCase('i32 sums beyond 24 bits', (g) => sum(g.input('x', [3, 300], 'i32')), {
    contents: { x: integers(10_000_001, 20_000_003) },
  }),
  reduceCase('NaN in a sum', (g) => sum(g.input('x', [4, 70])), {
    special: true,
    contents: { x: (r, i) => (i === 80 ? NaN : i === 150 ? Infinity : r.uniform(-1, 1)) },
  }),
  reduceCase('Inf among extremes', (g) => max(g.input('x', [4, 70])), {
    special: true,
    contents: { x: cycle([1, 2, -Infinity, 3, Infinity, 7, 8, -1, 4, 5, 6]) },
  }),
  { ...rows('sum', [1024, 1024]), name: 'sum of [1024, 1024]', forSpeed: true },
];
