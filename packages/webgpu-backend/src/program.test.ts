// What a program asks of its device, on a device that only remembers.
import { BackendError, DeviceLostError } from '@transept/tensor';
import type { Backend, Buffer, Plan } from '@transept/tensor';
import { describe, expect, test } from 'vitest';
import { webgpu } from './index.ts';
import { MockDevice } from './testing/mock-device.ts';
import type { MockOptions } from './testing/mock-device.ts';
import { chainPlan } from './testing/plans.ts';

async function setUp(
  options?: MockOptions,
): Promise<{ mock: MockDevice; backend: Backend; bound: Record<string, Buffer> }> {
  const mock = new MockDevice(options);
  const backend = await webgpu({ device: mock.device });
  const bound = { x: backend.alloc(64), w: backend.alloc(64), y: backend.alloc(64) };
  return { mock, backend, bound };
}
const floats = (bytes: Uint8Array<ArrayBuffer>): number[] => [...new Float32Array(bytes.buffer)];
const fill = (value: number): Float32Array => new Float32Array(16).fill(value);

describe('run', () => {
  test('one encoder, one pass, one submit, one write; nothing is created', async () => {
    const { mock, backend, bound } = await setUp();
    const program = await backend.load(chainPlan(3), bound);
    expect(program.dispatches).toBe(3);
    const { bytes } = backend.memory;
    for (let run = 0; run < 5; run++) {
      mock.calls.length = 0;
      program.run([0.5]);
      expect(mock.calls).toEqual([
        'writeBuffer',
        'createCommandEncoder',
        'beginComputePass',
        'setPipeline', // equal shaders share one pipeline
        'setBindGroup',
        'dispatchWorkgroups',
        'setBindGroup',
        'dispatchWorkgroups',
        'setBindGroup',
        'dispatchWorkgroups',
        'end',
        'submit',
        'copy',
      ]);
    }
    expect(backend.memory.bytes).toBe(bytes);
  });

  test('no write without scalars, no pass without calls, nothing for empty tensors', async () => {
    const { mock, backend, bound } = await setUp();
    const plan = chainPlan(1, { scalars: [] });
    const program = await backend.load(plan, bound);
    mock.calls.length = 0;
    program.run();
    expect(mock.calls).not.toContain('writeBuffer');
    const view = { buffer: 0, dtype: 'f32', offset: 0, shape: [0, 4], strides: [4, 1] } as const;
    const empty = await backend.load(
      { ...plan, calls: [{ ...plan.calls[0]!, op: 'copy', inputs: [view], output: { ...view, buffer: 2 } }] },
      bound,
    );
    expect(empty.dispatches).toBe(0);
    mock.calls.length = 0;
    empty.run();
    expect(mock.calls).toEqual(['createCommandEncoder', 'submit', 'copy']);
  });

  test('scalars go as bits of their types; a wrong number of them is refused', async () => {
    const { mock, backend, bound } = await setUp();
    const scalars = [
      { name: 'factor', dtype: 'f32' },
      { name: 'position', dtype: 'i32' },
      { name: 'seed', dtype: 'u32' },
    ] as const;
    const program = await backend.load(chainPlan(1, { scalars }), bound);
    program.run([0.5, -2, 4e9]);
    const block = mock.buffers.find((b) => b.label.startsWith('scalars'))!;
    const words = new DataView(block.data.buffer);
    expect([words.getFloat32(0, true), words.getInt32(4, true), words.getUint32(8, true)]).toEqual([0.5, -2, 4e9]);
    expect(() => program.run([1, 2])).toThrow('run chain: received 2 scalars; it takes 3: factor, position, seed');
  });
});

describe('read', () => {
  test('the latest run, several times, also while runs go on', async () => {
    const { backend, bound } = await setUp();
    const program = await backend.load(chainPlan(1), bound);
    for (let run = 1; run <= 7; run++) {
      backend.write(bound['y']!, fill(run));
      program.run([1]);
    }
    const [first, again] = await Promise.all([program.read('y'), program.read('y')]);
    expect(floats(first)).toEqual([...fill(7)]);
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
    expect(floats(await program.read('y'))[0]).toBe(7);
  });

  test('runs enqueued ahead never touch a result that is being read', async () => {
    const { mock, backend, bound } = await setUp({ slowMaps: true });
    const program = await backend.load(chainPlan(1), bound);
    const reads: Promise<Uint8Array<ArrayBuffer>>[] = [];
    for (let run = 1; run <= 5; run++) {
      backend.write(bound['y']!, fill(run));
      program.run([1]);
      reads.push(program.read('y'));
    }
    backend.write(bound['y']!, fill(9));
    program.run([1]);
    mock.finishMaps();
    expect((await Promise.all(reads)).map((r) => floats(r)[0])).toEqual([1, 2, 3, 4, 5]);
    const last = program.read('y');
    mock.finishMaps();
    expect(floats(await last)[0]).toBe(9);
  });

  test('before any run, the buffer as it is', async () => {
    const { backend, bound } = await setUp();
    const program = await backend.load(chainPlan(1), bound);
    backend.write(bound['y']!, fill(3));
    expect(floats(await program.read('y'))).toHaveLength(16);
    expect(floats(await program.read('y'))[0]).toBe(3);
  });

  test('a buffer that is not copied out is refused', async () => {
    const { backend, bound } = await setUp();
    const program = await backend.load(chainPlan(1), bound);
    await expect(program.read('x')).rejects.toThrow('read x: not a buffer that chain copies out: it has y');
  });
});

describe('load', () => {
  const rejects = async (
    options: MockOptions,
    plan: Plan,
    change: (bound: Record<string, Buffer>) => object,
    error: RegExp,
  ): Promise<void> => {
    const { mock, backend, bound } = await setUp(options);
    const { bytes } = backend.memory;
    const alive = mock.alive;
    await expect(backend.load(plan, { ...bound, ...change(bound) } as Record<string, Buffer>)).rejects.toThrow(error);
    expect(backend.memory.bytes).toBe(bytes);
    expect(mock.alive).toBe(alive);
    for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
    expect(mock.alive).toBe(0);
  };

  test('a rejected load leaves nothing allocated and no buffer in use', async () => {
    const plan = chainPlan(3);
    await rejects(
      { failingBuffer: 3 },
      plan,
      () => ({}),
      /load chain: the memory of y, 64 bytes, could not be had: 128 bytes of temporaries beside 192 bytes bound, .*: no memory left/,
    );
    await rejects(
      { failingBuffer: 7 },
      plan,
      () => ({}),
      /load chain: the memory for running it could not be had: 128 bytes of temporaries beside 192 bytes bound/,
    );
    // One of those that results are read through.
    await rejects({ failingBuffer: 4 }, plan, () => ({}), /load chain: the memory for running it could not be had/);
    await rejects(
      { failingShader: 'fn main' },
      plan,
      () => ({}),
      /matmul at chain.0: the shader did not compile: line \d+: not to my taste: fn main/,
    );
    await rejects({}, plan, () => ({ w: undefined }), /load chain: no buffer for w: w is a parameter of 64 bytes/);
    const other = await setUp();
    await rejects({}, plan, () => ({ w: other.bound['w'] }), /a buffer of another backend for w/);
    await rejects(
      {},
      { ...plan, calls: [{ ...plan.calls[0]!, op: 'unheardOf' as never }] },
      () => ({}),
      /unheardOf at chain.0: .* no such kernel/,
    );
    await rejects(
      { limits: { maxStorageBuffersPerShaderStage: 2 } },
      plan,
      () => ({}),
      /matmul at chain.0: too many buffers: 3; .* up to 2/,
    );
    await rejects(
      { limits: { maxStorageBufferBindingSize: 32 } },
      plan,
      () => ({}),
      /x is too large to bind: 64 bytes; .* up to 32/,
    );
  });

  test('a buffer that is too small', async () => {
    const { backend, bound } = await setUp();
    using small = backend.alloc(60);
    await expect(backend.load(chainPlan(1), { ...bound, w: small })).rejects.toThrow(
      /for w is too small: it has 60 bytes; w is a parameter of 64 bytes/,
    );
  });

  test('an aborted load', async () => {
    const { backend, bound, mock } = await setUp();
    const alive = mock.alive;
    const reason = new Error('enough');
    await expect(backend.load(chainPlan(1), bound, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const loading = backend.load(chainPlan(1), bound, { signal: controller.signal });
    controller.abort(reason);
    await expect(loading).rejects.toBe(reason);
    expect(mock.alive).toBe(alive);
  });

  test('progress: the shaders that are ready, of all there are', async () => {
    const { backend, bound } = await setUp();
    const seen: [number, number][] = [];
    await backend.load(chainPlan(3), bound, { onProgress: (...counts) => seen.push(counts) });
    expect(seen).toEqual([[1, 1]]);
  });

  test('a device that is lost while shaders compile is what is reported', async () => {
    const { mock, backend, bound } = await setUp({ failingShader: 'fn main' });
    const loading = backend.load(chainPlan(1), bound);
    setTimeout(() => mock.lose('the driver restarted'), 10);
    await expect(loading).rejects.toThrow(DeviceLostError);
  });

  test('a device that is lost while buffers are bound, too', async () => {
    const { mock, backend, bound } = await setUp();
    const pop = mock.popErrorScope.bind(mock);
    mock.popErrorScope = async () => {
      if (mock.calls.includes('createBindGroup')) throw new Error('no more devices');
      return pop();
    };
    const loading = backend.load(chainPlan(1), bound);
    setTimeout(() => mock.lose('the driver restarted'), 10);
    await expect(loading).rejects.toThrow(DeviceLostError);
  });

  test('plans share pipelines; a shader that failed is tried again', async () => {
    const { mock, backend, bound } = await setUp();
    await backend.load(chainPlan(4), bound);
    await backend.load(chainPlan(2), bound);
    expect(mock.calls.filter((c) => c === 'createComputePipelineAsync')).toHaveLength(1);
    const failing = await setUp({ failingShader: 'fn main' });
    await expect(failing.backend.load(chainPlan(1), failing.bound)).rejects.toThrow(BackendError);
    await expect(failing.backend.load(chainPlan(1), failing.bound)).rejects.toThrow(BackendError);
    expect(failing.mock.calls.filter((c) => c === 'createComputePipelineAsync')).toHaveLength(2);
  });
});

describe('life', () => {
  test('a buffer in use cannot be disposed; afterwards it can, once', async () => {
    const { mock, backend, bound } = await setUp();
    const program = await backend.load(chainPlan(2), bound);
    expect(() => bound['x']![Symbol.dispose]()).toThrow(
      'dispose: the buffer of 64 bytes is in use by 1 program; dispose them first',
    );
    program[Symbol.dispose]();
    program[Symbol.dispose]();
    expect(() => program.run([1])).toThrow('run: the program chain is disposed');
    for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
    bound['x']![Symbol.dispose]();
    expect(() => backend.write(bound['x']!, fill(1))).toThrow('write: the buffer of 64 bytes is disposed');
    expect(mock.alive).toBe(0);
    expect(backend.memory.bytes).toBe(0);
    expect(backend.memory.peak).toBeGreaterThan(500);
  });

  test('disposing the backend frees everything but an injected device', async () => {
    const { mock, backend, bound } = await setUp();
    const program = await backend.load(chainPlan(2), bound);
    await backend.read(bound['x']!);
    backend[Symbol.dispose]();
    backend[Symbol.dispose]();
    expect(mock.alive).toBe(0);
    expect(mock.destroyed).toBe(false);
    expect(() => program.run([1])).toThrow('run: the backend is disposed');
    expect(() => backend.alloc(4)).toThrow('alloc: the backend is disposed');
    await expect(backend.load(chainPlan(1), bound)).rejects.toThrow(BackendError);
  });

  test('a lost device: `lost` resolves, pending reads reject, later calls throw', async () => {
    const { mock, backend, bound } = await setUp({ slowMaps: true });
    const program = await backend.load(chainPlan(1), bound);
    program.run([1]);
    const pending = [program.read('y'), backend.read(bound['x']!)];
    mock.lose('the driver restarted');
    await expect(backend.lost).resolves.toBeInstanceOf(DeviceLostError);
    for (const read of pending) await expect(read).rejects.toThrow('the device is lost: the driver restarted');
    expect(() => program.run([1])).toThrow(DeviceLostError);
    expect(() => backend.alloc(4)).toThrow(DeviceLostError);
    expect(() => backend.write(bound['x']!, fill(1))).toThrow(DeviceLostError);
    await expect(backend.read(bound['x']!)).rejects.toThrow(DeviceLostError);
    await expect(program.read('y')).rejects.toThrow(DeviceLostError);
    await expect(backend.load(chainPlan(1), bound)).rejects.toThrow(DeviceLostError);
    program[Symbol.dispose]();
    backend[Symbol.dispose]();
    expect(mock.alive).toBe(0);
  });

  test('reading leaves no memory behind', async () => {
    const { backend, bound } = await setUp();
    const { bytes } = backend.memory;
    await Promise.all(Array.from({ length: 9 }, () => backend.read(bound['x']!)));
    expect(backend.memory.bytes).toBe(bytes);
  });

  test('sizes and ranges', async () => {
    const { backend, bound } = await setUp();
    expect(() => backend.alloc(2 ** 30)).toThrow(/alloc: too large: 1073741824 bytes; .* up to 268435456/);
    expect(() => backend.alloc(-1)).toThrow('alloc: not a size: -1');
    expect(() => backend.write(bound['x']!, new Uint8Array(3))).toThrow('multiples of 4: 0 and 3 bytes');
    expect(() => backend.write(bound['x']!, fill(1), 4)).toThrow(
      'write: outside the buffer: 64 bytes from 4; it has 64',
    );
    backend.write(bound['x']!, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), 8);
    expect([...(await backend.read(bound['x']!, 9, 5))]).toEqual([2, 3, 4, 5, 6]);
    expect(await backend.read(bound['x']!, 64)).toHaveLength(0);
    await expect(backend.read(bound['x']!, 60, 5)).rejects.toThrow(
      'read: outside the buffer: 5 bytes from 60; it has 64',
    );
  });
});
