// Elements moved and not changed: any strides to any strides, every type, bit by bit.
import { assign, broadcastTo, concat, copy, pad, reshape, slice, transpose } from '@transept/tensor';
import type { DType, Graph, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers, numbered } from '../random.ts';

const copyCase = (name: string, build: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op: 'copy',
  name,
  build: (g) => ({ out: build(g) }),
  ...more,
});

const ofType = (dtype: DType): OpCase =>
  copyCase(
    `of ${dtype}`,
    (g) => copy(transpose(g.input('x', [7, 12], dtype))),
    dtype === 'f16' ? {} : { contents: { x: integers(2 ** 24, 2 ** 31 - 1) } },
  );

export const copyCases: readonly OpCase[] = [
  ...[1, 3, 64, 65, 257, 1023, 4099].map((n) =>
    copyCase(`size ${n}`, (g) => copy(g.input('x', [n])), n % 2 ? { start: 'odd' } : {}),
  ),
  copyCase('no elements', (g) => copy(g.input('x', [3, 0]))),
  ...[
    [31, 33],
    [32, 32],
    [5, 130],
  ].map(([m, n]) =>
    copyCase(`transposed ${m}x${n}`, (g) => copy(transpose(g.input('x', [m!, n!]))), { contents: { x: numbered } }),
  ),
  copyCase('heads first', (g) => copy(transpose(g.input('x', [2, 9, 3, 8]), [0, 2, 1, 3])), { start: 'odd' }),
  copyCase('five axes in another order', (g) => copy(transpose(g.input('x', [2, 3, 4, 3, 2]), [4, 1, 3, 0, 2]))),
  copyCase('every fourth element', (g) => copy(slice(g.input('x', [5, 41]), 1, 2, 41, 4))),
  copyCase('a part', (g) => copy(slice(slice(g.input('x', [12, 30]), 0, 3, 9), 1, 5, 18)), { start: 'odd' }),
  copyCase('one row many times', (g) => copy(broadcastTo(g.input('x', [1, 9]), [7, 9]))),
  copyCase('one element many times', (g) => copy(broadcastTo(g.input('x', [1]), [300]))),
  copyCase('a reshape that no strides can express', (g) => reshape(transpose(g.input('x', [6, 8])), [4, 12])),
  copyCase('joined along rows', (g) => concat([g.input('a', [3, 7]), g.input('b', [1, 7]), g.input('c', [5, 7])], 0)),
  copyCase(
    'joined along columns',
    (g) => concat([g.input('a', [6, 3]), g.input('b', [6, 4]), g.input('c', [6, 1])], 1),
    { start: 'odd' },
  ),
  copyCase('padded', (g) => pad(g.input('x', [4, 6]), [1, 2], [3, 1], 0.5)),
  {
    op: 'copy',
    name: 'into a part of a state',
    build: (g) => {
      assign(slice(transpose(g.state('state', [9, 8])), 0, 2, 6), g.input('x', [4, 9]));
      return {};
    },
  },
  {
    op: 'copy',
    name: 'a state within itself',
    build: (g) => {
      const state = g.state('state', [8, 5]);
      assign(slice(state, 0, 1, 6), slice(state, 0, 0, 5));
      return {};
    },
  },
  ...(['i32', 'u32', 'f16'] as const).map(ofType),
  copyCase('f16 of odd size', (g) => copy(g.input('x', [3, 7], 'f16'))),
  copyCase('f16 from an odd place', (g) => copy(slice(g.input('x', [4, 9], 'f16'), 1, 1, 8))),
  copyCase('denormal numbers and large ones', (g) => copy(transpose(g.input('x', [6, 9]))), {
    contents: { x: cycle([1, 3.4e38, -3.4e38, 2 ** -126, -0, 0.1]) },
  }),
  copyCase('NaN and Inf', (g) => copy(transpose(g.input('x', [5, 6]))), {
    special: true,
    contents: { x: cycle([NaN, Infinity, -Infinity, 1, 2 ** -140, 0, 2]) },
  }),
  { ...copyCase('transposed 1024x1024', (g) => copy(transpose(g.input('x', [1024, 1024])))), forSpeed: true },
];
