// A device that has no feature and only the limits that every WebGPU device has, injected and shared by two backends.
import {
  add,
  argmax,
  attention,
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
import type { Graph, Tensor } from '@transept/tensor';
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

  test('memory beyond its limits is refused by name before anything is made', async () => {
    using backend = await webgpu({ device: device! });
    expect(() => backend.alloc(2 ** 28 + 4)).toThrow(/alloc: too large: 268435460 bytes; .* up to 268435456/);
    const wide = trace('wide', (g) => ({ y: linear(g.input('x', [1, 8]), g.parameter('big', [2 ** 22 + 1, 8])) }));
    using x = backend.alloc(32);
    using big = backend.alloc(2 ** 27 + 32);
    using y = backend.alloc(2 ** 24 + 4);
    await expect(async () => backend.load(lower(wide, backend), { x, big, y })).rejects.toThrow(
      /big is too large to bind: 134217760 bytes; this device binds up to 134217728|big.*134217760.*134217728/,
    );
    expect(lower(wide, reference()).calls).toHaveLength(1);
  });
});
