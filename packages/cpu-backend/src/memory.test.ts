// How much memory a loaded program takes, and what is said where there is not enough.
import { gather, layerNorm, linear, lower, softmax, trace } from '@transept/tensor';
import type { Backend, Buffer, Plan, Storage } from '@transept/tensor';
import { describe, expect, test, vi } from 'vitest';
import { cpu } from './index.ts';

/** An embedding tied to the output, and layers between: weights of some megabytes. */
function planFor(backend: Backend, storage: Storage | undefined): Plan {
  const names = ['table', 'w0', 'w1', 'w2', 'w3'];
  const traced = trace('model', (g) => {
    const table = g.parameter('table', [4001, 256]);
    let x = gather(table, g.input('ids', [8], 'i32'));
    for (const name of names.slice(1)) {
      const normed = layerNorm(x, g.parameter(`${name}.g`, [256]), g.parameter(`${name}.b`, [256]), 1e-5);
      x = softmax(linear(normed, g.parameter(name, [256, 256])));
    }
    return { y: linear(x, table) };
  });
  return lower(traced, backend, storage && { stored: new Map(names.map((name) => [name, storage])) });
}

describe.each<Storage | undefined>([undefined, 'f16', 'q8', 'q4'])('weights as %s', (storage) => {
  test.each([1, 2])(
    'with %i threads a program takes its weights, its temporaries, and a tenth at most',
    async (threads) => {
      using backend = await cpu({ threads });
      const plan = planFor(backend, storage);
      const before = backend.memory.bytes;
      const buffers: Record<string, Buffer> = {};
      let planned = 0;
      for (const b of plan.buffers) {
        planned += b.bytes;
        if (b.kind === 'bound') buffers[b.name] = backend.alloc(b.bytes);
      }
      using program = await backend.load(plan, buffers);
      program.run();
      // The peak: packing happens in place.
      expect(backend.memory.peak! - before).toBeLessThan(planned * 1.1);
      program[Symbol.dispose]();
      for (const buffer of Object.values(buffers)) buffer[Symbol.dispose]();
      expect(backend.memory.bytes).toBe(before);
    },
  );
});

test('what does not fit is told with its size, the limit, and what needs less', async () => {
  using backend = await cpu({ threads: 1, maxBytes: 8 << 20 });
  using _ = backend.alloc(5 << 20);
  expect(() => backend.alloc(6 << 20)).toThrow(
    /out of memory: a buffer needs 6291456 bytes, \d+ are in use; at most 8388608 can be had\. Weights as q8 or q4 .*\. More: cpu\({ maxBytes }\)/,
  );
  // All that is left can be had, whatever steps memory grows in.
  using _rest = backend.alloc((8 << 20) - backend.memory.bytes - 4096);
});

describe('more than 4 GiB', () => {
  test('is memory with 64-bit addresses, where one tensor has 2 GiB at most', async () => {
    using backend = await cpu({ threads: 1, maxBytes: 6 * 2 ** 30 });
    const { details, maxMemoryBytes, maxBufferBytes } = backend.capabilities;
    expect(details).toMatchObject({ addresses: '64 bits' });
    expect(backend.capabilities.moreMemory?.bytes).toBe(2 ** 34);
    expect(maxMemoryBytes).toBe(6 * 2 ** 30);
    expect(maxBufferBytes).toBe(2 ** 31 - 65536);
    expect(() => backend.alloc(2 ** 31)).toThrow(
      'alloc: 2147483648 bytes; with 64-bit addresses a buffer has 2147418112 at most',
    );
    // Nobody touches them, so they take address space only.
    for (let i = 0; i < 5; i++) backend.alloc(2 ** 30);
    using last = backend.alloc(16);
    backend.write(last, Float32Array.of(1, 2, 3, 4));
    expect(new Float32Array((await backend.read(last)).buffer)).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  test('has room for temporaries that take more than 2 GiB together', async () => {
    using backend = await cpu({ threads: 1, maxBytes: 8 * 2 ** 30 });
    const traced = trace('wide', (g) => {
      const x = softmax(g.input('x', [2 ** 18, 1024]));
      return { y: softmax(linear(x, g.input('w', [1024, 1024]))) };
    });
    const plan = lower(traced, backend);
    expect(Math.max(...plan.buffers.map(({ kind, bytes }) => (kind === 'temporary' ? bytes : 0)))).toBe(2 ** 31);
    const bound = plan.buffers.filter((b) => b.kind === 'bound').map((b) => [b.name, backend.alloc(b.bytes)] as const);
    using _program = await backend.load(plan, Object.fromEntries(bound));
    expect(backend.memory.bytes).toBeGreaterThan(2 ** 32);
  });

  test('is refused where the engine does not have it, and beyond what engines allow', async () => {
    for (const maxBytes of [2 ** 35, 1, NaN])
      await expect(cpu({ maxBytes })).rejects.toThrow(
        `cpu: maxBytes is ${maxBytes}; it must be a number from 65536 to 17179869184`,
      );
    const { validate } = WebAssembly;
    const known = vi.spyOn(WebAssembly, 'validate');
    // The memory section of a module, with the flag for 64-bit addresses.
    known.mockImplementation((bytes) => !(bytes as Uint8Array).includes(5) && validate(bytes));
    await expect(cpu({ maxBytes: 2 ** 33 })).rejects.toThrow(
      'cpu: maxBytes is 8589934592; this engine has no 64-bit WebAssembly memory, so 4294967296 are the most',
    );
    known.mockRestore();
  });
});
