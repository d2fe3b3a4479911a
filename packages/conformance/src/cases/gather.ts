// Rows of a table: by index, by a start; indices at and beyond both ends; rows of one element and of many.
import { gather, gatherRange, slice, transpose } from '@transept/tensor';
import type { DType, Graph, Shape, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers, numbered } from '../random.ts';

const gatherCase = (name: string, build: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op: 'gather',
  name,
  build: (g) => ({ out: build(g) }),
  ...more,
});

const rows = (table: Shape, indices: Shape, more: Partial<OpCase> = {}): OpCase =>
  gatherCase(
    `[${indices.join(', ')}] of [${table.join(', ')}]`,
    (g) => gather(g.parameter('table', table), g.input('at', indices, 'i32')),
    {
      contents: { at: integers(0, table[0]! - 1) },
      ...more,
    },
  );

const ofType = (dtype: DType): OpCase =>
  gatherCase(`of ${dtype}`, (g) => gather(g.parameter('table', [13, 6], dtype), g.input('at', [9], 'i32')), {
    contents: { at: integers(0, 12), ...(dtype !== 'f16' && { table: integers(2 ** 24, 2 ** 31 - 1) }) },
  });

export const gatherCases: readonly OpCase[] = [
  rows([5, 1], [3]),
  rows([1, 4], [6]),
  rows([7, 32], [1]),
  rows([101, 33], [2, 5], { start: 'odd' }),
  rows([50, 64], [4, 16]),
  rows([9, 3, 5], [2, 2]),
  rows([40, 129], [67]),
  rows([6], [8]),
  rows([6, 5], [0]),
  gatherCase('indices outside are clamped', (g) => gather(g.parameter('table', [7, 5]), g.input('at', [12], 'i32')), {
    contents: { at: cycle([-1, 0, 6, 7, 8, -(2 ** 31), 2 ** 31 - 1, 3, -5]) },
  }),
  gatherCase(
    'indices beyond what f16 and 16 bits have',
    (g) => gather(g.parameter('table', [70001, 1]), g.input('at', [9], 'i32')),
    {
      contents: { table: numbered, at: cycle([70000, 2049, 2051, 4097, 32769, 65535, 65537, 69999, 1]) },
    },
  ),
  gatherCase('transposed table', (g) => gather(transpose(g.parameter('table', [6, 9])), g.input('at', [5], 'i32')), {
    contents: { at: integers(0, 8) },
  }),
  gatherCase(
    'columns of a table',
    (g) => gather(slice(g.parameter('table', [9, 20]), 1, 3, 14), g.input('at', [5], 'i32')),
    { contents: { at: integers(0, 8) }, start: 'odd' },
  ),
  gatherCase(
    'indices apart',
    (g) => gather(g.parameter('table', [9, 4]), slice(g.input('at', [4, 6], 'i32'), 1, 1, 6, 2)),
    { contents: { at: integers(0, 8) } },
  ),
  gatherCase('a range', (g) => gatherRange(g.parameter('table', [20, 6]), 7, 5)),
  gatherCase('a range beyond the end', (g) => gatherRange(g.parameter('table', [10, 5]), 8, 5), { start: 'odd' }),
  gatherCase('a range before the beginning', (g) => gatherRange(g.parameter('table', [10, 5]), -3, 5)),
  gatherCase('a range from a scalar', (g) => gatherRange(g.parameter('table', [16, 8]), g.scalar('start'), 3), {
    runs: [[0], [5], [13], [15], [-4]],
  }),
  ...(['i32', 'u32', 'f16'] as const).map(ofType),
  gatherCase('NaN and Inf pass', (g) => gather(g.input('table', [4, 3]), g.input('at', [6], 'i32')), {
    special: true,
    contents: { table: cycle([NaN, 1, Infinity, -Infinity]), at: cycle([3, 1, 0, 2]) },
  }),
  { ...rows([8192, 512], [64, 16]), name: '[64, 16] of [8192, 512]', forSpeed: true },
];
