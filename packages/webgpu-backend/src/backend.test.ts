// The backend on a real device, and what is said where there is none.
import { BackendError, DeviceLostError, lower, matmul, trace } from '@transept/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { webgpu } from './index.ts';
import { onDevice } from './testing/device.ts';
import { MockDevice } from './testing/mock-device.ts';
import { chainPlan } from './testing/plans.ts';

describe('no device', () => {
  afterEach(() => vi.unstubAllGlobals());
  const pretend = (requestAdapter: () => Promise<unknown>): void =>
    void vi.stubGlobal('navigator', { gpu: { requestAdapter } });

  test('no adapter: what was tried and what helps', async () => {
    const asked: unknown[] = [];
    pretend(async (...options: unknown[]) => (asked.push(...options), null));
    await expect(webgpu({ powerPreference: 'low-power' })).rejects.toThrow(
      /webgpu: no adapter: navigator.gpu offers none, neither low-power nor fallback; what helps: a GPU driver/,
    );
    expect(asked).toEqual([{ powerPreference: 'low-power' }, { forceFallbackAdapter: true }]);
    await expect(webgpu()).rejects.toBeInstanceOf(BackendError);
  });

  test('an adapter that refuses: who and why', async () => {
    const adapter = {
      limits: {},
      features: new Set(),
      info: { description: 'Toy adapter' },
      requestDevice: async () => Promise.reject(new Error('too many devices')),
    };
    await expect(webgpu({ adapter: adapter as unknown as GPUAdapter })).rejects.toThrow(
      'webgpu: the adapter refused a device: Toy adapter: too many devices; pass a device of your own',
    );
  });
});

test('subgroups whose invocations are not where kernels take them to be are not used', async () => {
  const mock = new MockDevice();
  mock.features.add('subgroups');
  using backend = await webgpu({ device: mock.device, target: { software: false } });
  expect(backend.capabilities.details['subgroups']).toMatch(/not used: invocations do not stand in them in order/);
  const plan = chainPlan(1);
  const [dispatch] = backend.kernels.matmul.prepare(plan.calls[0]!, plan, backend.capabilities);
  expect(dispatch!.code).not.toContain('subgroup');
  expect(mock.alive).toBe(0);
});

await onDevice('device', (backend) => {
  test('capabilities', () => {
    const { capabilities } = backend;
    expect(capabilities.memory).toBe('slots');
    expect([...capabilities.dtypes]).toEqual(expect.arrayContaining(['f32', 'i32', 'u32']));
    expect(capabilities.maxBindings).toBeGreaterThanOrEqual(8);
    expect(capabilities.maxBindingBytes).toBeGreaterThanOrEqual(2 ** 27);
    expect(capabilities.details).toMatchObject({ adapter: expect.any(String), software: expect.any(Boolean) });
    expect(capabilities.details['subgroups']).not.toMatch(/order/);
  });

  test('memory is zero, takes writes and gives them back', async () => {
    using buffer = backend.alloc(50);
    expect(new Set(await backend.read(buffer))).toEqual(new Set([0]));
    backend.write(buffer, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).subarray(4), 44);
    expect([...(await backend.read(buffer, 43, 6))]).toEqual([0, 5, 6, 7, 8, 0]);
  });

  test('memory that cannot be had is refused, and the rest goes on', async () => {
    expect(() => backend.alloc(2 ** 50)).toThrow(/alloc: too large: 1125899906842624 bytes/);
    const before = backend.memory.bytes;
    await expect(backend.load(chainPlan(1), {})).rejects.toThrow('load chain: no buffer for x');
    expect(backend.memory.bytes).toBe(before);
  });

  test('a shader that does not compile names the call and the line', async () => {
    const plan = chainPlan(1);
    const wrong = {
      ...plan,
      calls: [{ ...plan.calls[0]!, epilogue: { expr: { kind: 'scalar', scalar: 0 }, inputs: [] } }],
    } as const;
    const bound = { x: backend.alloc(64), w: backend.alloc(64), y: backend.alloc(64) };
    const broken = {
      ...wrong,
      calls: [{ ...wrong.calls[0], output: { ...wrong.calls[0].output, dtype: 'i32' } }],
    } as const;
    await expect(backend.load(broken, bound)).rejects.toThrow(
      /matmul at chain.0: the shader did not compile: line \d+: .*b2\[/s,
    );
    await expect(backend.load(wrong, bound)).resolves.toBeDefined();
  });

  test('runs follow each other without waiting, and each result can be read', async () => {
    const bound = { x: backend.alloc(64), w: backend.alloc(64), y: backend.alloc(64) };
    const identity = new Float32Array(16).map((_, i) => (i % 5 === 0 ? 1 : 0));
    backend.write(bound.x, identity);
    backend.write(bound.w, identity);
    using program = await backend.load(chainPlan(3), bound);
    const reads = [1, 2, 3, 4, 5].map((factor) => {
      program.run([factor]);
      return program.read('y');
    });
    const corners = (await Promise.all(reads)).map((bytes) => new Float32Array(bytes.buffer)[0]);
    expect(corners).toEqual([1, 8, 27, 64, 125]);
  });

  test('a device of its own is destroyed; an injected one is not, and two backends can share it', async () => {
    const device = await borrowDevice();
    const first = await webgpu({ device });
    const second = await webgpu({ device });
    const buffer = second.alloc(16);
    first[Symbol.dispose]();
    second.write(buffer, new Float32Array([1, 2, 3, 4]));
    expect([...new Float32Array((await second.read(buffer)).buffer)]).toEqual([1, 2, 3, 4]);
    device.destroy();
    await expect(second.lost).resolves.toBeInstanceOf(DeviceLostError);
    expect(() => second.alloc(4)).toThrow(DeviceLostError);
    second[Symbol.dispose]();
  });

  test('a device without any feature or raised limit does the same', async () => {
    const device = await borrowDevice();
    using plain = await webgpu({ device });
    expect(plain.capabilities.details['subgroups']).toBe(false);
    const plan = lower(
      trace('plain', (g) => ({ y: matmul(g.input('x', [3, 40]), g.parameter('w', [40, 5])) })),
      plain,
    );
    const bound = { x: plain.alloc(480), w: plain.alloc(800), y: plain.alloc(60) };
    plain.write(bound.x, new Float32Array(120).fill(1));
    plain.write(bound.w, new Float32Array(200).fill(2));
    const program = await plain.load(plan, bound);
    program.run();
    expect([...new Float32Array((await plain.read(bound.y)).buffer)]).toEqual(new Array(15).fill(80));
    plain[Symbol.dispose]();
    device.destroy();
  });
});

/** A device as a user would make it, with nothing asked for. */
async function borrowDevice(): Promise<GPUDevice> {
  const gpu = globalThis.navigator?.gpu ?? (await import('webgpu')).create([]);
  keep.push(gpu);
  return (await gpu.requestAdapter())!.requestDevice();
}
const keep: GPU[] = [];
