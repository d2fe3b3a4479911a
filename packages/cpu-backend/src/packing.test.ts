// Parameters that matmul packs where they lie: everybody else goes on seeing what was written.
import { add, elements, gather, gatherRange, linear, lower, matmul, slice, storedBytes, trace } from '@transept/tensor';
import type { Backend, Buffer, Graph, Program, Storage, Tensor } from '@transept/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpu } from './index.ts';

const depth = 64;
let backend: Backend;
beforeAll(async () => {
  backend = await cpu({ threads: 2 });
});
afterAll(() => backend[Symbol.dispose]());

/** A weight [rows, 64] of small whole numbers on the device, and what was written. */
function weight(rows: number, stored?: Storage): { buffer: Buffer; written: Uint8Array } {
  const count = elements([rows, depth]);
  const bytes = Math.ceil((stored ? storedBytes(stored, count) : count * 4) / 4) * 4;
  const written = stored
    ? new Uint8Array(bytes).map((_, i) => (Math.imul(i, 0x9e3779b1) >>> 24) & 0x3f)
    : new Uint8Array(new Float32Array(count).map((_, i) => (i % 23) - 11).buffer);
  const buffer = backend.alloc(bytes);
  backend.write(buffer, written);
  return { buffer, written };
}

interface Loaded extends Disposable {
  readonly program: Program;
  y(): Promise<Float32Array>;
}

/** A program of one weight `w`, with inputs of ones and the ids 0, 9, 17. */
async function load(
  build: (w: Tensor, g: Graph) => Tensor,
  w: Buffer,
  rows: number,
  stored?: Storage,
): Promise<Loaded> {
  const traced = trace('m', (g) => ({ y: build(g.parameter('w', [rows, depth]), g) }));
  const plan = lower(traced, backend, { readback: ['y'], ...(stored && { stored: new Map([['w', stored]]) }) });
  const owned = plan.buffers.flatMap((b) =>
    b.kind === 'bound' && b.name !== 'w' ? [[b.name, backend.alloc(b.bytes)] as const] : [],
  );
  for (const [name, buffer] of owned)
    backend.write(buffer, name === 'ids' ? Int32Array.of(0, 9, 17) : new Float32Array(buffer.bytes / 4).fill(1));
  const program = await backend.load(plan, { ...Object.fromEntries(owned), w });
  return {
    program,
    async y() {
      program.run();
      return new Float32Array((await program.read('y')).buffer);
    },
    [Symbol.dispose]() {
      program[Symbol.dispose]();
      for (const [, buffer] of owned) buffer[Symbol.dispose]();
    },
  };
}

const product = (w: Tensor, g: Graph): Tensor => linear(g.input('x', [1, depth]), w);
const rowsByNumber = (w: Tensor, g: Graph): Tensor => gather(w, g.input('ids', [3], 'i32'));

describe.each([undefined, 'f16', 'bf16', 'q8', 'q4'] as const)('a weight stored as %s', (stored) => {
  test.each([16, 19, 5])('of %i rows reads as written while it is packed', async (rows) => {
    const { buffer, written } = weight(rows, stored);
    using _ = await load(product, buffer, rows, stored);
    expect(await backend.read(buffer)).toEqual(written);
    expect(await backend.read(buffer, 8, 12)).toEqual(written.slice(8, 20));
  });

  test('gives its rows to programs loaded before and after', async () => {
    const { buffer } = weight(19, stored);
    using before = await load(rowsByNumber, buffer, 19, stored);
    const rows = await before.y();
    using packing = await load(product, buffer, 19, stored);
    const sums = await packing.y();
    using after = await load(rowsByNumber, buffer, 19, stored);
    expect(await before.y()).toEqual(rows);
    expect(await after.y()).toEqual(rows);
    using range = await load((w) => gatherRange(slice(w, 0, 8, 19), 1, 2), buffer, 19, stored);
    expect((await range.y()).slice(0, depth)).toEqual(rows.slice(depth, 2 * depth));
    for (const [i, row] of [0, 9, 17].entries()) {
      const want = rows.slice(i * depth, (i + 1) * depth).reduce((a, b) => a + b, 0);
      expect(Math.abs(sums[row]! - want)).toBeLessThanOrEqual(Math.abs(want) * 1e-4 + 1e-30);
    }
  });

  test('gives the same products through any of its slices', async () => {
    const { buffer } = weight(43, stored);
    using all = await load(product, buffer, 43, stored);
    const want = await all.y();
    for (const [from, to] of [
      [8, 43],
      [16, 29],
      [3, 40],
      [41, 43],
    ] as const) {
      using part = await load((w, g) => product(slice(w, 0, from, to), g), buffer, 43, stored);
      expect(await part.y()).toEqual(want.slice(from, to));
    }
  });

  test('takes next to no memory beyond itself', async () => {
    const rows = 2048 + 3;
    const { buffer } = weight(rows, stored);
    const { bytes } = backend.memory;
    using _ = await load(product, buffer, rows, stored);
    // A tail, steps, inputs, outputs and working memory of two threads.
    expect(backend.memory.bytes - bytes).toBeLessThan(60_000);
  });
});

test('a weight that is also read in other ways is left as it was', async () => {
  const { buffer, written } = weight(19);
  const sum = (w: Tensor): Tensor => add(w, 1);
  const values = new Float32Array(written.buffer).map((x) => x + 1);
  using before = await load(sum, buffer, 19);
  using one = await load(product, buffer, 19);
  const products = await one.y();
  expect(await before.y()).toEqual(values);
  const packed = weight(19).buffer;
  using other = await load(product, packed, 19);
  using after = await load(sum, packed, 19);
  using turned = await load((w, g) => matmul(g.input('x', [1, 19]), w), packed, 19);
  expect(await after.y()).toEqual(values);
  expect(await other.y()).toEqual(products);
  const columns = new Float32Array(written.buffer);
  expect(await turned.y()).toEqual(
    Float32Array.from({ length: depth }, (_, k) => {
      let total = 0;
      for (let row = 0; row < 19; row++) total += columns[row * depth + k]!;
      return total;
    }),
  );
});

test('a weight can be written once no program uses it', async () => {
  const { buffer, written } = weight(19);
  const first = await load(product, buffer, 19);
  const products = await first.y();
  expect(() => backend.write(buffer, written)).toThrow(/parameter of 1 loaded program/);
  first[Symbol.dispose]();
  backend.write(buffer, Float32Array.of(100), 4 * depth);
  expect(new Float32Array((await backend.read(buffer)).buffer)[depth]).toBe(100);
  using second = await load(product, buffer, 19);
  const changed = await second.y();
  expect(changed[1]! - products[1]!).toBe(100 - new Float32Array(written.buffer)[depth]!);
  expect(changed.with(1, 0)).toEqual(products.with(1, 0));
});

test('nothing is left when all is disposed', async () => {
  const { bytes } = backend.memory;
  const { buffer } = weight(19);
  {
    using _ = await load(rowsByNumber, buffer, 19);
    using __ = await load(product, buffer, 19);
    using ___ = await load((w) => add(w, 1), buffer, 19);
  }
  buffer[Symbol.dispose]();
  expect(backend.memory.bytes).toBe(bytes);
});

test('a load that runs out of memory, wherever it does, leaves nothing', async () => {
  const maxBytes = 2 << 20;
  using small = await cpu({ threads: 1, maxBytes });
  const empty = small.memory.bytes;
  const shape = [19, 1024] as const;
  const traced = trace('m', (g) => {
    const w = g.parameter('w', shape);
    return { y: linear(g.input('x', [1, 1024]), w), z: matmul(g.input('v', [1, 19]), w) };
  });
  const plan = lower(traced, small);
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, small.alloc(b.bytes)] as const] : [])),
  );
  const written = new Float32Array(19 * 1024).map((_, i) => i);
  small.write(bound['w']!, written);
  const { bytes } = small.memory;
  const reasons = new Set<string>();
  for (let left = 8192; ; left += 8192) {
    using _ = small.alloc(maxBytes - bytes - left);
    try {
      using program = await small.load(plan, bound);
      program.run();
      break;
    } catch (error) {
      reasons.add(/out of memory: (.*?) needs/.exec((error as Error).message)![1]!);
    }
    expect(new Float32Array((await small.read(bound['w']!)).buffer)).toEqual(written);
  }
  for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
  expect(small.memory.bytes).toBe(empty);
  expect(reasons).toContain('packing a parameter');
  expect(reasons).toContain('a packed parameter');
});
