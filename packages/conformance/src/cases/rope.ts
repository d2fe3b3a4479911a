// Rotary positions: halves and interleaved pairs, whole heads and parts of them, every head size in use.
import { rope, slice } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';

interface Sizes {
  readonly batch?: number;
  readonly positions: number;
  readonly heads: number;
  readonly size: number;
  /** How many elements of a head are rotated. Default: all. */
  readonly rotated?: number;
}

const ropeCase = (name: string, build: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op: 'rope',
  name,
  build: (g) => ({ out: build(g) }),
  ...more,
});

/** Tables [T, R/2], the same for every head and sequence. */
const table = (g: Graph, name: string, { positions, size, rotated = size }: Sizes): Tensor => {
  const half = rotated / 2;
  return g.view(g.input(name, [positions, half]).node, {
    offset: 0,
    shape: [1, positions, 1, half],
    strides: [0, half, 0, 1],
  });
};

const ofSizes = (sizes: Sizes, interleaved: boolean, more: Partial<OpCase> = {}): OpCase => {
  const { batch = 1, positions, heads, size, rotated = size } = sizes;
  const name = `[${batch}, ${positions}, ${heads}, ${size}]${rotated < size ? `, ${rotated} rotated` : ''}${interleaved ? ' interleaved' : ''}`;
  return ropeCase(
    name,
    (g) =>
      rope(g.input('x', [batch, positions, heads, size]), table(g, 'cos', sizes), table(g, 'sin', sizes), {
        interleaved,
      }),
    more,
  );
};

export const ropeCases: readonly OpCase[] = [
  ...[false, true].flatMap((interleaved) => [
    ofSizes({ positions: 1, heads: 1, size: 2 }, interleaved),
    ofSizes({ positions: 5, heads: 3, size: 8 }, interleaved, { start: 'odd' }),
    ofSizes({ batch: 3, positions: 4, heads: 2, size: 12 }, interleaved),
    ofSizes({ positions: 7, heads: 4, size: 64 }, interleaved),
    ofSizes({ positions: 2, heads: 2, size: 256 }, interleaved),
    ofSizes({ batch: 2, positions: 3, heads: 2, size: 20, rotated: 8 }, interleaved),
    ofSizes({ positions: 3, heads: 1, size: 9, rotated: 4 }, interleaved, { start: 'odd' }),
  ]),
  ropeCase('a table for every sequence and head', (g) =>
    rope(g.input('x', [2, 3, 2, 8]), g.input('cos', [2, 3, 2, 4]), g.input('sin', [2, 3, 2, 4])),
  ),
  ropeCase('heads of a merged projection', (g) => {
    const merged = g.input('merged', [2, 3, 5, 8]);
    return rope(slice(merged, 2, 1, 4), g.input('cos', [3, 1, 4]), g.input('sin', [3, 1, 4]));
  }),
  ropeCase('no positions', (g) =>
    rope(g.input('x', [1, 0, 2, 8]), g.input('cos', [0, 1, 4]), g.input('sin', [0, 1, 4])),
  ),
  {
    ...ofSizes({ batch: 4, positions: 128, heads: 16, size: 64 }, false),
    name: '[4, 128, 16, 64]',
    forSpeed: true,
  },
];
