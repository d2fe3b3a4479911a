// Rows written into a state in place: at indices, from a start; twice the same row, rows outside, states that are views.
import { add, cast, gather, scatter, slice, transpose } from '@transept/tensor';
import type { DType, Graph, ScatterOptions } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers } from '../random.ts';

const scatterCase = (name: string, build: (g: Graph) => void, more: Partial<OpCase> = {}): OpCase => ({
  op: 'scatter',
  name,
  build: (g) => {
    build(g);
    return {};
  },
  ...more,
});

const indexed = (
  name: string,
  at: readonly number[],
  options: ScatterOptions = {},
  more: Partial<OpCase> = {},
): OpCase =>
  scatterCase(
    name,
    (g) =>
      scatter(g.state('cache', [9, 7]), g.input('at', [at.length], 'i32'), g.input('rows', [at.length, 7]), options),
    {
      ...more,
      contents: { at, ...more.contents },
    },
  );

const ofType = (dtype: DType, mode: 'set' | 'add'): OpCase =>
  scatterCase(
    `${mode} ${dtype}`,
    (g) =>
      scatter(g.state('cache', [8, 6], dtype), g.input('at', [5], 'i32'), g.input('rows', [5, 6], dtype), { mode }),
    {
      contents: { at: cycle([3, 7, 0, 3, 5]), ...(dtype !== 'f16' && { rows: integers(2 ** 24, 2 ** 31 - 1) }) },
    },
  );

export const scatterCases: readonly OpCase[] = [
  indexed('rows in any order', [4, 0, 8, 2]),
  indexed('one row', [6], {}, { start: 'odd' }),
  indexed('the last of equal indices wins', [3, 3, 5, 3, 5, 3]),
  indexed('all of equal indices add, in order', [3, 3, 5, 3, 5, 3], { mode: 'add' }),
  indexed(
    'sums that depend on their order',
    [2, 2, 2],
    { mode: 'add' },
    { contents: { rows: (r, i) => [1e8, -1e8, 1][Math.floor(i / 7)]! * r.uniform(0.5, 1), cache: cycle([0]) } },
  ),
  indexed('rows outside are dropped', [-1, 9, 4, 100, -(2 ** 31), 2 ** 31 - 1]),
  indexed('rows outside are not added', [-1, 9, 8, 0], { mode: 'add' }, { start: 'odd' }),
  indexed('nothing', []),
  scatterCase(
    'many rows',
    (g) => scatter(g.state('cache', [200, 33]), g.input('at', [150], 'i32'), g.input('rows', [150, 33])),
    { contents: { at: integers(0, 199) } },
  ),
  scatterCase(
    'many rows add',
    (g) => scatter(g.state('cache', [5, 64]), g.input('at', [70], 'i32'), g.input('rows', [70, 64]), { mode: 'add' }),
    { contents: { at: integers(0, 4) } },
  ),
  scatterCase('a range', (g) => scatter(g.state('cache', [12, 5]), 4, g.input('rows', [3, 5]))),
  scatterCase('a range over the end', (g) => scatter(g.state('cache', [6, 5]), 4, g.input('rows', [5, 5])), {
    start: 'odd',
  }),
  scatterCase('a range from before the beginning', (g) =>
    scatter(g.state('cache', [6, 5]), -2, g.input('rows', [5, 5]), { mode: 'add' }),
  ),
  scatterCase(
    'from a scalar, run after run',
    (g) => scatter(g.state('cache', [10, 8]), g.scalar('start'), g.input('rows', [2, 8])),
    { runs: [[0], [3], [9], [5], [-1]] },
  ),
  scatterCase(
    'positions of a cache [B, S, C]',
    (g) =>
      scatter(
        transpose(g.state('cache', [3, 10, 8]), [1, 0, 2]),
        g.scalar('start'),
        transpose(g.input('rows', [3, 2, 8]), [1, 0, 2]),
      ),
    { runs: [[0], [2], [8], [9]] },
  ),
  scatterCase(
    'part of every row',
    (g) => scatter(slice(g.state('cache', [9, 20]), 1, 6, 13), g.input('at', [4], 'i32'), g.input('rows', [4, 7])),
    { contents: { at: cycle([8, 1, 1, 0]) }, start: 'odd' },
  ),
  scatterCase(
    'three axes',
    (g) => scatter(g.state('cache', [6, 3, 5]), g.input('at', [4], 'i32'), g.input('rows', [4, 3, 5])),
    { contents: { at: cycle([5, 0, 2, 2]) } },
  ),
  {
    op: 'scatter',
    name: 'read after the write',
    build: (g) => {
      const cache = scatter(g.state('cache', [7, 6]), g.scalar('start'), add(g.input('rows', [2, 6]), 1));
      return { out: gather(cache, g.input('at', [5], 'i32')) };
    },
    contents: { at: cycle([0, 1, 6, 3, 4]) },
    runs: [[0], [3], [5]],
  },
  {
    op: 'scatter',
    name: 'two writes, one after the other',
    build: (g) => {
      const rows = g.input('rows', [2, 6]);
      scatter(scatter(g.state('cache', [7, 6]), 1, rows), g.input('at', [2], 'i32'), add(rows, 10), { mode: 'add' });
      return {};
    },
    contents: { at: cycle([2, 5]) },
  },
  ofType('i32', 'set'),
  ofType('i32', 'add'),
  ofType('u32', 'add'),
  ofType('f16', 'set'),
  ofType('f16', 'add'),
  scatterCase('f32 rows into an f16 cache', (g) =>
    scatter(g.state('cache', [6, 4], 'f16'), 2, cast(g.input('rows', [3, 4]), 'f16')),
  ),
  {
    ...scatterCase('', (g) => scatter(g.state('cache', [4096, 512]), 100, g.input('rows', [1024, 512]))),
    name: '[1024, 512]',
    forSpeed: true,
  },
];
