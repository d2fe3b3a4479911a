// How much memory a loaded program takes, and what is said where there is not enough.
import { gather, layerNorm, linear, lower, softmax, trace } from '@transept/tensor';
import type { Backend, Buffer, Plan, Storage } from '@transept/tensor';
import { describe, expect, test } from 'vitest';
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
    /out of memory: a buffer needs 6291456 bytes, \d+ are in use; at most 8388608 can be had\. Weights as q8 or q4/,
  );
  // All that is left can be had, whatever steps memory grows in.
  using _rest = backend.alloc((8 << 20) - backend.memory.bytes - 4096);
});
