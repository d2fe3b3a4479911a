// Attention whose keys are shared out among workgroups, and when that is done.
import { attention, lower, trace } from '@transept/tensor';
import type { AttentionOptions, Backend, Graph } from '@transept/tensor';
import { expect, test } from 'vitest';
import { onTarget } from '../testing/device.ts';
import { compareGraph } from '../testing/graph.ts';

type Sizes = readonly [batch: number, queries: number, keys: number, heads: number, keyHeads: number, size: number];

const graph =
  ([b, t, s, h, g, d]: Sizes, options: (g: Graph) => AttentionOptions = () => ({})) =>
  (x: Graph) => ({
    y: attention(x.input('q', [b, t, h, d]), x.input('k', [b, s, g, d]), x.input('v', [b, s, g, d]), options(x)),
  });

const described = (backend: Backend, sizes: Sizes): string => {
  const plan = lower(trace('attention', graph(sizes)), backend);
  return backend.kernels.attention!.describe!(plan.calls[0]!, plan, backend.capabilities);
};

await onTarget('attention over parts of the keys', { split: { workgroups: 512, keys: 2, k: 1024 } }, (backend) => {
  test('is taken', () => {
    expect(described(backend, [2, 2, 40, 4, 2, 8])).toContain('keys in 20 parts');
    expect(described(backend, [2, 2, 7, 4, 2, 8])).not.toContain('parts');
  });

  test.each([
    [1, 9],
    [37, 40],
    [0, 1],
    [5, 0],
    [-3, 40],
  ])('start %i and %i keys, by scalars; memory beyond holds anything', async (start, keys) => {
    const [s, width] = [40, 2 * 8];
    const garbage = Array.from({ length: 2 * s * width }, (_, i) =>
      Math.floor(i / width) % s < Math.min(keys, start + 2) ? Math.sin(i) : Number.NaN,
    );
    const options = (g: Graph): AttentionOptions => ({
      causal: true,
      start: g.scalar('start', 'i32'),
      keys: g.scalar('keys', 'i32'),
    });
    await compareGraph(backend, graph([2, 2, s, 4, 2, 8], options), {
      runs: [[start, keys]],
      contents: { k: garbage, v: garbage },
    });
  });

  test('window, soft cap, bias and a mask that hides everything from one text', () =>
    compareGraph(
      backend,
      graph([2, 3, 33, 3, 1, 5], (g) => ({
        window: 7,
        softcap: 2,
        mask: g.input('mask', [2, 1, 1, 33], 'i32'),
        bias: g.input('bias', [3, 3, 33]),
        start: 20,
      })),
      { contents: { mask: Array.from({ length: 66 }, (_, i) => Number(i < 33 && i % 3 > 0)) } },
    ));

  test('scores whose exponentials are beyond f32', () =>
    compareGraph(
      backend,
      graph([1, 1, 16, 1, 1, 4], () => ({ scale: 1 })),
      {
        contents: { q: [1, 0, 0, 0], k: Array.from({ length: 64 }, (_, i) => (i % 4 === 0 ? 300 - i / 30 : 0)) },
      },
    ));
});

await onTarget('attention on a GPU', { software: false, split: { workgroups: 256, keys: 128, k: 1024 } }, (backend) => {
  test('shares out many keys of few queries', () => {
    expect(described(backend, [1, 1, 1024, 9, 3, 64])).toContain('keys in 8 parts');
    expect(described(backend, [1, 1, 4096, 32, 32, 128])).toContain('keys in 8 parts');
    for (const sizes of [
      [1, 1, 511, 9, 3, 64],
      [8, 1, 1024, 16, 16, 64],
      [1, 128, 1024, 9, 3, 64],
    ] as const)
      expect(described(backend, sizes)).not.toContain('parts');
  });
});
