// Matrix products: every way that the sizes can miss a tile, every way that the operands can lie in memory.
import { linear, matmul, slice, transpose, broadcastTo } from '@transept/tensor';
import type { DType, Graph, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';

const matmulCase = (name: string, build: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op: 'matmul',
  name,
  build: (g) => ({ y: build(g) }),
  ...more,
});

/** [M, K] × [K, N] of two inputs. */
const plain = (m: number, k: number, n: number, more: Partial<OpCase> = {}): OpCase =>
  matmulCase(`${m}x${k}x${n}`, (g) => matmul(g.input('a', [m, k]), g.input('b', [k, n])), more);

/** [M, K] × a parameter stored [N, K], as in a linear layer. */
const weighted = (m: number, k: number, n: number, more: Partial<OpCase> = {}): OpCase =>
  matmulCase(`linear ${m}x${k}x${n}`, (g) => linear(g.input('a', [m, k]), g.parameter('w', [n, k])), more);

const mixed = (a: DType, b: DType): OpCase =>
  matmulCase(`${a} × ${b}`, (g) => matmul(g.input('a', [5, 19], a), g.parameter('b', [19, 21], b)));

export const matmulCases: readonly OpCase[] = [
  plain(1, 1, 1),
  plain(1, 7, 1),
  plain(1, 64, 5),
  plain(2, 3, 4),
  plain(7, 1, 9),
  plain(5, 17, 31, { start: 'odd' }),
  plain(6, 8, 8),
  plain(31, 33, 63),
  plain(32, 32, 64),
  plain(33, 31, 65),
  plain(65, 129, 67),
  plain(3, 1021, 5),
  plain(4, 0, 3),
  plain(0, 3, 3),
  weighted(1, 16, 16),
  weighted(1, 257, 43, { start: 'odd' }),
  weighted(1, 512, 129),
  weighted(2, 64, 6),
  weighted(3, 172, 64),
  weighted(4, 64, 172),
  weighted(5, 255, 33),
  weighted(7, 256, 31),
  weighted(8, 32, 130),
  weighted(13, 40, 24, { start: 'odd' }),
  weighted(64, 64, 64),
  weighted(127, 66, 129),
  matmulCase('batch 3, each its own', (g) => matmul(g.input('a', [3, 5, 7]), g.input('b', [3, 7, 6]))),
  matmulCase('batch 2x3, the right one shared over one axis', (g) =>
    matmul(g.input('a', [2, 3, 5, 7]), g.input('b', [2, 1, 7, 6])),
  ),
  matmulCase('batch 4, one matrix for all', (g) => matmul(g.input('a', [4, 9, 16]), g.input('b', [16, 10]))),
  matmulCase('left transposed', (g) => matmul(transpose(g.input('a', [17, 9])), g.input('b', [17, 12]))),
  matmulCase('both transposed', (g) => matmul(transpose(g.input('a', [17, 9])), transpose(g.input('b', [12, 17]))), {
    start: 'odd',
  }),
  matmulCase('left rows apart', (g) => matmul(slice(g.input('a', [9, 40]), 1, 3, 22), g.input('b', [19, 12]))),
  matmulCase('every second column of the right', (g) =>
    matmul(g.input('a', [9, 18]), slice(g.input('b', [18, 26]), 1, 1, 26, 2)),
  ),
  matmulCase('left rows all the same', (g) =>
    matmul(broadcastTo(g.input('a', [1, 20]), [6, 20]), g.input('b', [20, 9])),
  ),
  matmulCase('heads of a merged projection', (g) => {
    const x = g.input('x', [2, 5, 3, 4, 8]); // [B, T, 3, H, D]
    const part = (i: number): Tensor =>
      transpose(g.view(x.node, { offset: i * 32, shape: [2, 5, 4, 8], strides: [480, 96, 8, 1] }), [0, 2, 1, 3]);
    return matmul(part(0), transpose(part(1), [0, 1, 3, 2])); // [B, H, T, T]
  }),
  matmulCase('parameter within a larger one', (g) =>
    linear(g.input('a', [6, 12]), slice(g.parameter('w', [40, 12]), 0, 7, 30)),
  ),
  matmulCase('large and small values', (g) => matmul(g.input('a', [4, 24]), g.input('b', [24, 20])), {
    contents: { a: (r) => 2 ** r.integer(-20, 20), b: (r) => (r.unit() < 0.5 ? -1 : 1) * 2 ** r.integer(-20, 20) },
  }),
  matmulCase('a product with itself', (g) => {
    const a = g.input('a', [12, 12]);
    return matmul(a, a);
  }),
  mixed('f16', 'f16'),
  mixed('f32', 'f16'),
  mixed('f16', 'f32'),
  matmulCase('NaN stays in its row, Inf in its column', (g) => matmul(g.input('a', [5, 9]), g.input('b', [9, 7])), {
    special: true,
    contents: {
      a: (r, i) => (i === 20 ? NaN : r.uniform(0.5, 1)),
      b: (r, i) => (i === 24 ? Infinity : r.uniform(0.5, 1)),
    },
  }),
  { ...plain(256, 256, 256), name: '256x256x256', forSpeed: true },
  { ...weighted(1, 1024, 1024), name: 'linear 1x1024x1024', forSpeed: true },
  { ...weighted(64, 512, 2048), name: 'linear 64x512x2048', forSpeed: true },
];
