// Weights stored in fewer bits: products with their rows and gathers of them, in every way that matmul has, against the reference
// backend, which expands them.
import { add, expandStored, gather, linear, lower, reference, slice, storedBytes, trace } from '@transept/tensor';
import type { Backend, Storage } from '@transept/tensor';
import { expect, test } from 'vitest';
import { expectClose } from '../testing/call.ts';
import { onEveryKind } from '../testing/device.ts';
import { random } from '../testing/tensors.ts';

/** Random bits, with finite numbers where halves stand. */
function weights(storage: Storage, count: number): Uint8Array<ArrayBuffer> {
  const next = random(count);
  const bytes = new Uint8Array(Math.ceil(storedBytes(storage, count) / 4) * 4).map(() => (next() + 1) * 128);
  const half = (at: number): void => {
    const [sign, rest] = [bytes[at + 1]! & 0x80, bytes[at + 1]! & 0x1f];
    bytes[at + 1] = sign | (storage === 'bf16' ? 0x3f : 0x20 | rest);
  };
  const step = { f16: 2, bf16: 2, q8: 34, q4: 18 }[storage];
  for (let at = 0; at + 1 < bytes.length; at += step) half(at);
  return bytes;
}

async function results(
  backend: Backend,
  storage: Storage,
  [m, k, n]: readonly number[],
  w: Uint8Array,
): Promise<number[][]> {
  const traced = trace('stored', (g) => {
    const table = g.parameter('w', [n!, k!]);
    const x = g.input('x', [m!, k!]);
    return {
      all: add(linear(x, table), 1),
      part: linear(x, slice(table, 0, 3, n!)),
      rows: gather(table, g.input('ids', [3], 'i32')),
    };
  });
  const readback = ['all', 'part', 'rows'];
  const plan = lower(traced, backend, { stored: new Map([['w', storage]]), readback });
  const next = random(7);
  const values: Record<string, ArrayBufferView> = {
    w,
    x: new Float32Array(m! * k!).map(next),
    ids: Int32Array.of(n! - 1, 0, 2),
  };
  using owned = new DisposableStack();
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, owned.use(backend.alloc(b.bytes))]] : [])),
  );
  for (const [name, value] of Object.entries(values)) backend.write(bound[name]!, value);
  const program = owned.use(await backend.load(plan, bound));
  program.run();
  return await Promise.all(readback.map(async (name) => [...new Float32Array((await program.read(name)).buffer)]));
}

await onEveryKind('weights stored as', (backend, kind) => {
  // A compiler for CPUs takes seconds over tiles, which read single values, whatever they are stored as.
  const sizes = (storage: Storage): number[][] => {
    if (kind === 'as it is') return [[7, 96, 33]];
    return kind === 'as a GPU' && storage === 'q4' ? [[20, 64, 70]] : [[1, 64, 9]];
  };
  test.each(['f16', 'bf16', 'q8', 'q4'] as const)('%s', async (storage) => {
    for (const size of sizes(storage)) {
      const [, k, n] = size as [number, number, number];
      const w = weights(storage, n * k);
      const want = await results(reference(), storage, size, w);
      const got = await results(backend, storage, size, w);
      const largest = expandStored(storage, w).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expectClose(got[0]!, want[0]!, 1e-6 * Math.sqrt(k) * largest);
      expectClose(got[1]!, want[1]!, 1e-6 * Math.sqrt(k) * largest);
      expect(got[2]).toEqual(want[2]);
    }
  });
  test.runIf(kind === 'as it is').each(['f16', 'bf16'] as const)('%s in rows of odd length', async (storage) => {
    const w = weights(storage, 5 * 7);
    const want = await results(reference(), storage, [3, 7, 5], w);
    const got = await results(backend, storage, [3, 7, 5], w);
    got.forEach((values, i) => expectClose(values, want[i]!, 1e-4, 1e-5));
  });
});
