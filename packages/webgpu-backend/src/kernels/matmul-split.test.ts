// Products that are split along K, and when they are.
import { add, linear, lower, matmul, mul, trace } from '@transept/tensor';
import type { Backend, Graph, Tensor } from '@transept/tensor';
import { expect, test } from 'vitest';
import { onTarget } from '../testing/device.ts';
import { compareGraph } from '../testing/graph.ts';

type Build = (g: Graph) => Record<string, Tensor>;

const rows =
  (m: number, k: number, n: number): Build =>
  (g) => ({ y: linear(g.input('x', [m, k]), g.parameter('w', [n, k])) });

/** Dispatches that a graph of one product takes. */
function dispatches(backend: Backend, build: Build): number {
  const plan = lower(trace('product', build), backend);
  expect(plan.calls).toHaveLength(1);
  return (backend.kernels.matmul.prepare(plan.calls[0]!, plan, backend.capabilities) as unknown[]).length;
}

await onTarget('products in parts along K', { split: { workgroups: 4096, keys: 2, k: 32 } }, (backend) => {
  const cases: Record<string, Build> = {
    'one row': rows(1, 256, 9),
    'several rows, parts that do not fit in twos': rows(5, 352, 7),
    'columns that do not lie along K': (g) => ({ y: matmul(g.input('x', [3, 128]), g.parameter('w', [128, 10])) }),
    'a batch with its epilogue': (g) => {
      const product = matmul(g.input('x', [2, 3, 4, 160]), g.input('w', [2, 3, 160, 6]));
      return { y: add(mul(product, 0.5), g.input('bias', [3, 1, 6])) };
    },
  };
  test.each(Object.keys(cases))('%s', async (name) => {
    expect(dispatches(backend, cases[name]!)).toBe(2);
    await compareGraph(backend, cases[name]!, { absolute: 1e-4 });
  });
  test('not where K is short or cannot be cut at blocks', () => {
    expect(dispatches(backend, rows(1, 96, 9))).toBe(1);
    expect(dispatches(backend, rows(1, 260, 9))).toBe(1);
  });
});

const gpu = { software: false, subgroup: 1, tile: { rows: 4, columns: 4 } };
await onTarget('products on a GPU', { ...gpu, split: { workgroups: 256, keys: 128, k: 1024 } }, (backend) => {
  test('are split where few columns meet a long K', () => {
    expect(dispatches(backend, rows(1, 8192, 64))).toBe(2);
    expect(dispatches(backend, rows(1, 2048, 64))).toBe(1);
    expect(dispatches(backend, rows(1, 4096, 2048))).toBe(1);
    expect(dispatches(backend, rows(1, 1536, 576))).toBe(1);
  });
});
