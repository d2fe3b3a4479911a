// Weights that are stored in fewer bits: f16 and bf16 one by one, whole numbers in blocks that share a scale.
import { add, gather, linear, slice, transpose } from '@transept/tensor';
import type { Graph, Storage, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers, uniform } from '../random.ts';

const storages: readonly Storage[] = ['f16', 'bf16', 'q8', 'q4'];

const storedCase = (
  op: 'matmul' | 'gather',
  stored: Storage,
  name: string,
  build: (g: Graph) => Tensor,
  more: Partial<OpCase> = {},
): OpCase => ({
  op,
  name: `${stored} weight: ${name}`,
  build: (g) => ({ out: build(g) }),
  stored: { w: stored },
  ...more,
});

export const storedCases: readonly OpCase[] = storages.flatMap((stored) => {
  const product = (m: number, k: number, n: number, more: Partial<OpCase> = {}): OpCase =>
    storedCase('matmul', stored, `${m}x${k}x${n}`, (g) => linear(g.input('a', [m, k]), g.parameter('w', [n, k])), more);
  const whole = stored === 'q8' || stored === 'q4';
  return [
    product(1, 32, 1),
    product(1, 64, 61),
    product(1, 1056, 33, { start: 'odd' }),
    product(2, 96, 43),
    product(5, 160, 23),
    product(6, 32, 8),
    product(13, 96, 40, { start: 'odd' }),
    product(50, 64, 67),
    ...(whole ? [] : [product(3, 37, 19), product(1, 5, 2)]),
    product(4, 64, 9, { contents: { a: (r, i) => (i % 7 === 0 ? r.uniform(-50, 50) : r.uniform(-1, 1)) } }),
    product(3, 64, 12, { contents: { a: cycle([0]) } }),
    storedCase('matmul', stored, 'rows from the seventh on', (g) =>
      linear(g.input('a', [4, 64]), slice(g.parameter('w', [30, 64]), 0, 7, 29)),
    ),
    storedCase('matmul', stored, 'bias, left transposed', (g) =>
      add(linear(transpose(g.input('a', [64, 5])), g.parameter('w', [21, 64])), g.parameter('bias', [21])),
    ),
    storedCase('gather', stored, 'rows', (g) => gather(g.parameter('w', [19, 64]), g.input('at', [9], 'i32')), {
      contents: { at: integers(-1, 19) },
    }),
    storedCase(
      'gather',
      stored,
      'rows and a shift',
      (g) => add(gather(g.parameter('w', [19, 32]), g.input('at', [2, 3], 'i32')), g.input('shift', [32])),
      {
        contents: { at: integers(0, 18), shift: uniform(-1, 1) },
      },
    ),
    { ...product(1, 1024, 1024), forSpeed: true },
    { ...product(64, 512, 2048), forSpeed: true },
  ];
});
