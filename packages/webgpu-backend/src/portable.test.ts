// A device that has no feature and only the limits that every WebGPU device has, injected and shared by two backends.
import {
  add,
  argmax,
  attention,
  gather,
  layerNorm,
  linear,
  lower,
  reference,
  reshape,
  rmsNorm,
  slice,
  softmax,
  trace,
} from '@transept/tensor';
import type { Buffer, Graph, Tensor } from '@transept/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { requestAdapter } from './device.ts';
import { webgpu } from './index.ts';
import { compareGraph } from './testing/graph.ts';

const adapter = await requestAdapter('high-performance').catch(() => undefined);
const device = await adapter?.requestDevice();
afterAll(() => device?.destroy());

/** A layer as decoders have it, with everything that attention takes. */
function layer(g: Graph): Record<string, Tensor> {
  const [b, t, c, h] = [2, 3, 32, 4];
  const weight = (name: string, n: number, k = c): Tensor => g.parameter(name, [n, k]);
  const x = g.input('x', [b, t, c]);
  const qkv = linear(rmsNorm(x, g.parameter('norm', [c]), 1e-6), weight('qkv', 3 * c));
  const [q, k, v] = [0, 1, 2].map((i) => reshape(slice(qkv, 2, i * c, (i + 1) * c), [b, t, h, c / h]));
  const mask = g.input('mask', [b, 1, 1, t], 'i32');
  const bias = g.input('bias', [1, h, t, t]);
  const mixed = reshape(attention(q!, k!, v!, { causal: true, mask, bias }), [b, t, c]);
  const y = layerNorm(add(linear(mixed, weight('o', c)), x), g.parameter('w', [c]), g.parameter('b', [c]), 1e-5);
  const logits = linear(y, weight('out', 43));
  return { next: argmax(logits), p: softmax(logits) };
}
const contents = { mask: Array.from({ length: 6 }, (_, i) => Number(i % 3 < 2)) };

describe.skipIf(!device)('a device with default limits', () => {
  test('computes what the reference computes, with kernels for GPUs', async () => {
    using backend = await webgpu({ device: device!, target: { software: false } });
    expect(backend.capabilities).toMatchObject({ maxBindings: 8, maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28 });
    expect(backend.capabilities.details).toMatchObject({ subgroups: false, f16: false });
    const ops = await compareGraph(backend, layer, { contents, absolute: 1e-4 });
    expect(ops.filter((op) => op === 'attention')).toHaveLength(1);
  });

  test('serves two backends; what one disposes of is its own', async () => {
    using first = await webgpu({ device: device! });
    const second = await webgpu({ device: device! });
    const add3 = (g: Graph): Record<string, Tensor> => ({ y: add(g.input('x', [5]), 3) });
    await compareGraph(second, add3);
    const foreign = second.alloc(20);
    await expect(first.read(foreign)).rejects.toThrow('a buffer of another backend');
    second[Symbol.dispose]();
    await compareGraph(first, add3);
  });

  test('weights beyond what it can bind are read in parts', async () => {
    using backend = await webgpu({ device: device! });
    const [v, c] = [2 ** 17 + 3, 256];
    const traced = trace('wide', (g) => {
      const table = g.parameter('big', [v, c]);
      const ids = g.input('ids', [3], 'i32');
      return { y: linear(g.input('x', [1, c]), table), rows: gather(table, ids) };
    });
    using owned = new DisposableStack();
    const alloc = (bytes: number) => owned.use(backend.alloc(bytes));
    const bound = { ids: alloc(12), x: alloc(4 * c), big: alloc(4 * v * c), y: alloc(4 * v), rows: alloc(12 * c) };
    backend.write(bound.ids, Int32Array.of(v - 1, 2 ** 17 - 1, 2 ** 17));
    backend.write(bound.x, new Float32Array(c).fill(1));
    for (const row of [0, 2 ** 17 - 1, 2 ** 17, v - 1])
      backend.write(bound.big, new Float32Array(c).fill(row + 1), 4 * c * row);
    const program = owned.use(await backend.load(lower(traced, backend), bound));
    program.run();
    const floats = async (buffer: Buffer): Promise<Float32Array> =>
      new Float32Array((await backend.read(buffer)).buffer);
    const y = await floats(bound.y);
    expect([0, 1, 2 ** 17 - 1, 2 ** 17, 2 ** 17 + 1, v - 1].map((i) => y[i]! / c)).toEqual([
      1,
      0,
      2 ** 17,
      2 ** 17 + 1,
      0,
      v,
    ]);
    const rows = await floats(bound.rows);
    expect([0, c - 1, c, 2 * c, 3 * c - 1].map((i) => rows[i])).toEqual([v, v, 2 ** 17, 2 ** 17 + 1, 2 ** 17 + 1]);
  });

  test('memory beyond its limits is refused by name before anything is made', async () => {
    using backend = await webgpu({ device: device! });
    expect(() => backend.alloc(2 ** 28 + 4)).toThrow(/alloc: too large: 268435460 bytes; .* up to 268435456/);
    const wide = trace('wide', (g) => ({ y: add(g.input('x', [8]), g.parameter('big', [2 ** 22 + 1, 8])) }));
    using x = backend.alloc(32);
    using big = backend.alloc(2 ** 27 + 32);
    using y = backend.alloc(2 ** 27 + 32);
    await expect(async () => backend.load(lower(wide, backend), { x, big, y })).rejects.toThrow(
      /big is too large to bind: 134217760 bytes; this device binds up to 134217728/,
    );
    expect(lower(wide, reference()).calls).toHaveLength(1);
  });
});
