// Weights stored in fewer bits against the reference backend, which expands them: matmul in every tile shape, gather from the same
// table, all variants, one and two threads.
import {
  add,
  elements,
  expandStored,
  gather,
  linear,
  lower,
  reference,
  slice,
  storedBytes,
  trace,
  transpose,
} from '@transept/tensor';
import type { Backend, Storage, TracedGraph } from '@transept/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyVariant, randomNumbers } from './fixture.ts';

const oracle = reference();
let backends: Record<string, Backend>;

beforeAll(async () => {
  backends = await everyVariant();
});
afterAll(() => {
  for (const backend of Object.values(backends)) backend[Symbol.dispose]();
});

const random = randomNumbers(3);
const integer = (below: number): number => Math.floor(random() * below);

/** Random blocks: numbers of the whole range, scales of either sign, some of them subnormal or 0. */
function randomWeights(stored: Storage, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(storedBytes(stored, count) / 4) * 4).map(() => integer(256));
  const words = new Uint16Array(bytes.buffer);
  if (stored === 'bf16') return new Uint8Array(words.map(() => (integer(2) << 15) | (0x3c00 + integer(0x400))).buffer);
  const half = (): number => (integer(2) << 15) | (integer(8) === 0 ? integer(0x500) : 0x2000 + integer(0x1000));
  if (stored === 'f16') return new Uint8Array(words.map(half).buffer);
  const block = stored === 'q8' ? 34 : 18;
  for (let at = 0; at + block <= bytes.length; at += block) {
    const scale = half();
    bytes.set([scale & 255, scale >> 8], at);
  }
  return bytes;
}

type Results = Readonly<Record<string, Float32Array>>;

async function run(
  backend: Backend,
  traced: TracedGraph,
  stored: Storage | undefined,
  values: Readonly<Record<string, ArrayBufferView>>,
): Promise<Results> {
  const readback = Object.keys(traced.outputs);
  const plan = lower(traced, backend, { ...(stored && { stored: new Map([['w', stored]]) }), readback });
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, backend.alloc(b.bytes)]] : [])),
  );
  for (const [name, value] of Object.entries(values)) backend.write(bound[name]!, value);
  const program = await backend.load(plan, bound);
  program.run();
  const results: Record<string, Float32Array> = {};
  for (const name of readback) results[name] = new Float32Array((await program.read(name)).buffer);
  program[Symbol.dispose]();
  for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
  return results;
}

/**
 * How far apart two sums of products may lie: roundings of the sum, and where x becomes whole numbers, half a step of the largest
 * element of its block in every product.
 */
function bound(stored: Storage, x: Float32Array, w: Float32Array, row: number, column: number, depth: number): number {
  let sum = 0;
  for (let from = 0; from < depth; from += 32) {
    let most = 0;
    let products = 0;
    let weights = 0;
    for (let k = from; k < Math.min(depth, from + 32); k++) {
      const [a, b] = [Math.abs(x[row * depth + k]!), Math.abs(w[column * depth + k]!)];
      most = Math.max(most, a);
      products += a * b;
      weights += b;
    }
    sum += products * depth * 2 ** -23 + (stored === 'q8' || stored === 'q4' ? (weights * most) / 65534 : 0);
  }
  return sum + 1e-30;
}

async function check(stored: Storage, rows: number, depth: number, columns: number): Promise<void> {
  const ids = Int32Array.from([0, columns - 1, integer(columns), -3, columns + 9]);
  const traced = trace('m', (g) => {
    const w = g.parameter('w', [columns, depth]);
    const first = columns > 8 ? 8 : 0;
    return {
      y: add(linear(g.input('x', [rows, depth]), w), g.input('bias', [columns])),
      turned: linear(transpose(g.input('xt', [depth, rows])), slice(w, 0, first, columns)),
      rows: add(gather(w, g.input('ids', [ids.length], 'i32')), g.input('shift', [depth])),
    };
  });
  const x = new Float32Array(rows * depth).map(() => (random() - 0.5) * (integer(40) === 0 ? 50 : 1));
  if (rows > 1) x.fill(0, depth, Math.min(x.length, depth + 32));
  const xt = new Float32Array(rows * depth).map((_, i) => x[(i % rows) * depth + Math.floor(i / rows)]!);
  const bytes = randomWeights(stored, elements([columns, depth]));
  const bias = new Float32Array(columns).map(random);
  const shift = new Float32Array(depth).map(random);
  const values = { x, xt, ids, bias, shift, w: bytes };
  const want = await run(oracle, traced, stored, values);
  const w = expandStored(stored, bytes);
  const first = columns - want['turned']!.length / rows;
  const bounds = Array.from({ length: rows * columns }, (_, i) =>
    bound(stored, x, w, Math.floor(i / columns), i % columns, depth),
  );
  for (const [name, backend] of Object.entries(backends)) {
    const got = await run(backend, traced, stored, values);
    const far = (output: string, limit: (i: number) => number): void =>
      want[output]!.forEach((y, i) => {
        if (!(Math.abs(got[output]![i]! - y) <= limit(i) + Math.abs(y) * 1e-6))
          expect.fail(`${name}: ${output}[${i}] is ${got[output]![i]}, expected ${y} up to ${limit(i)}`);
      });
    far('y', (i) => bounds[i]!);
    far('turned', (i) => bounds[Math.floor(i / (columns - first)) * columns + first + (i % (columns - first))]!);
    expect(got['rows']).toEqual(want['rows']);
    if (name.endsWith('2')) expect(got).toEqual(await run(backends[name.replace(/2$/, '1')]!, traced, stored, values));
  }
}

describe.each(['f16', 'bf16', 'q8', 'q4'] as const)('%s', (stored) => {
  // Rows for tiles of every height, columns for every width and edges of one to seven.
  test.each([
    [1, 32, 8],
    [1, 64, 61],
    [2, 96, 43],
    [3, 32, 17],
    [4, 64, 8],
    [5, 160, 23],
    [6, 32, 9],
    [13, 96, 40],
    [22, 288, 30],
    [100, 64, 21],
    [1, 1088, 530],
    [14, 2080, 17],
  ])('%i × %i × %i', (rows, depth, columns) => check(stored, rows, depth, columns));

  test('the same bits for a row alone and among others', async () => {
    const graph = (rows: number): TracedGraph =>
      trace('m', (g) => ({ y: linear(g.input('x', [rows, 96]), g.parameter('w', [37, 96])) }));
    const x = new Float32Array(7 * 96).map(() => random() - 0.5);
    const w = randomWeights(stored, 37 * 96);
    const backend = backends['relaxed, 1']!;
    const all = (await run(backend, graph(7), stored, { x, w }))['y']!;
    const one = (await run(backend, graph(1), stored, { x: x.slice(5 * 96, 6 * 96), w }))['y']!;
    expect(one).toEqual(all.slice(5 * 37, 6 * 37));
  });
});

test.each(['f32', 'f16'] as const)(
  '%s: one row beside more weights than a cache holds has the same bits',
  async (form) => {
    const columns = 91;
    const graph = (others: number): TracedGraph =>
      trace('m', (g) => {
        const x = g.input('x', [1, 96]);
        const w = g.parameter('w', [columns, 96]);
        return { y: linear(x, w), rest: linear(x, g.parameter('others', [others, 96])) };
      });
    const x = new Float32Array(96).map(() => random() - 0.5);
    const w = form === 'f32' ? new Float32Array(columns * 96).map(random) : randomWeights(form, columns * 96);
    for (const name of ['relaxed, 1', 'plain, 2']) {
      const backend = backends[name]!;
      const stored = new Map<string, Storage>(form === 'f32' ? [] : [['w', form]]);
      const tiles = [8, 40_000].map((others) => {
        const plan = lower(graph(others), backend, { stored });
        const call = plan.calls.find(({ output }) => output.shape.at(-1) === columns)!;
        return backend.kernels.matmul!.describe!(call, plan, backend.capabilities);
      });
      expect(tiles[0]).toContain('1×32');
      expect(tiles[1]).toContain('1×16');
      const few = await run(backend, graph(8), form === 'f32' ? undefined : form, { x, w });
      const many = await run(backend, graph(40_000), form === 'f32' ? undefined : form, { x, w });
      expect(many['y']).toEqual(few['y']);
    }
  },
);

test.each(['f16', 'bf16'] as const)('%s rows of any length', (stored) => check(stored, 3, 37, 19));

test('every f16 is widened exactly', async () => {
  const finite = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((bits) => (bits & 0x7c00) !== 0x7c00);
  const traced = trace('m', (g) => ({
    rows: gather(g.parameter('w', [finite.length, 1]), g.input('ids', [finite.length], 'i32')),
    products: linear(g.input('x', [1, 1]), g.parameter('w', [finite.length, 1])),
  }));
  const values = { w: finite, ids: new Int32Array(finite.length).map((_, i) => i), x: Float32Array.of(1) };
  const want = await run(oracle, traced, 'f16', values);
  const got = await run(backends['plain, 1']!, traced, 'f16', values);
  expect(got['rows']).toEqual(want['rows']);
  expect(got['products']!.map((y) => y + 0)).toEqual(want['products']!.map((y) => y + 0));
});
