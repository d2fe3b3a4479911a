import { describe, expect, it } from 'vitest';
import { UnsupportedError } from './errors.ts';
import { trace } from './graph.ts';
import { lower } from './lower/lower.ts';
import { linear, matmul } from './ops/matmul.ts';
import { add } from './ops/pointwise.ts';
import { gather } from './ops/rows.ts';
import { slice } from './ops/view.ts';
import { formatPlan } from './print.ts';
import { reference } from './reference/backend.ts';
import { canStore, expandStored, f16Value, storableParameters, storedBytes } from './storage.ts';
import type { Storage } from './storage.ts';

const tied = () =>
  trace('tied', (g) => {
    const table = g.parameter('table', [6, 32]);
    const hidden = gather(table, g.input('ids', [2], 'i32'));
    return { hidden, logits: linear(hidden, table), some: linear(hidden, slice(table, 0, 2, 5)) };
  });
const as = (storage: Storage): ReadonlyMap<string, Storage> => new Map([['table', storage]]);

/** Two blocks a row would do too; here one, whose scale is row + 1 and whose numbers count up from -3. */
const q8Rows = (rows: number): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil((rows * 34) / 4) * 4);
  const scales = [0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600];
  for (let row = 0; row < rows; row++) {
    bytes.set([scales[row]! & 255, scales[row]! >> 8], row * 34);
    for (let i = 0; i < 32; i++) bytes[row * 34 + 2 + i] = i - 3;
  }
  return bytes;
};

describe('stored weights', () => {
  it('are f32 to the graph, and what they are in the plan', async () => {
    const backend = reference();
    const plan = lower(tied(), backend, { stored: as('q8'), readback: ['hidden', 'logits', 'some'] });
    expect(formatPlan(plan)).toContain('parameter q8 [6, 32]');
    expect(plan.buffers.find((b) => b.kind === 'bound' && b.name === 'table')).toMatchObject({
      bytes: 204,
      dtype: 'f32',
      stored: 'q8',
    });
    const bound = Object.fromEntries(
      plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, backend.alloc(b.bytes)]] : [])),
    );
    backend.write(bound['table']!, q8Rows(6));
    backend.write(bound['ids']!, Int32Array.of(4, 1));
    using program = await backend.load(plan, bound);
    program.run();
    const floats = async (name: string) => new Float32Array((await program.read(name)).buffer);
    const codes = Array.from({ length: 32 }, (_, i) => i - 3);
    const squares = codes.reduce((n, c) => n + c * c, 0);
    expect([...(await floats('hidden'))]).toEqual([...codes.map((c) => 5 * c), ...codes.map((c) => 2 * c)]);
    expect([...(await floats('logits'))]).toEqual(
      [5, 2].flatMap((x) => [1, 2, 3, 4, 5, 6].map((d) => x * d * squares)),
    );
    expect([...(await floats('some'))]).toEqual([5, 2].flatMap((x) => [3, 4, 5].map((d) => x * d * squares)));
  });

  it('are declined where the device cannot have them', () => {
    const { weights: _, ...can } = reference().capabilities;
    const without = { ...reference(), name: 'other', capabilities: can };
    expect(() => lower(tied(), without, { stored: as('q4') })).toThrow(
      /lower: "table" is stored as q4; other takes f32$/,
    );
  });

  it('are read by matmul and gather alone, in whole rows', () => {
    const use = (build: Parameters<typeof trace>[1]) => () =>
      lower(trace('m', build), reference(), { stored: as('q8') });
    expect(use((g) => ({ y: add(g.parameter('table', [4, 32]), 1) }))).toThrow(UnsupportedError);
    expect(use((g) => ({ y: matmul(g.input('x', [2, 32]), g.parameter('table', [32, 32])) }))).toThrow(
      /reads "table", stored as q8/,
    );
    expect(use((g) => ({ y: linear(g.input('x', [2, 31]), slice(g.parameter('table', [4, 32]), 1, 0, 31)) }))).toThrow(
      UnsupportedError,
    );
    expect(use((g) => ({ y: linear(g.input('x', [2, 40]), g.parameter('table', [4, 40])) }))).toThrow(
      /whole blocks of 32/,
    );
  });

  it('can be found in a graph', () => {
    const { graph } = trace('m', (g) => {
      const x = g.input('x', [2, 32]);
      const both = g.parameter('both', [32, 32]);
      const y = linear(add(linear(x, g.parameter('linear', [32, 32])), g.parameter('bias', [32])), both);
      return { y: matmul(add(y, 1), both), z: linear(x, g.constant('made', [1, 32], new Float32Array(32))) };
    });
    expect([...storableParameters(graph)]).toEqual(['linear']);
  });

  it('take whole blocks', () => {
    expect(storedBytes('q8', 64)).toBe(68);
    expect(storedBytes('q4', 64)).toBe(36);
    expect(canStore('q4', [3, 48])).toBe(false);
    expect(canStore('bf16', [3, 47])).toBe(true);
    expect([...expandStored('bf16', Uint8Array.of(0x80, 0x3f, 0x00, 0xc0))]).toEqual([1, -2]);
    const q4 = expandStored('q4', Uint8Array.of(0, 0x40, ...new Array<number>(16).fill(0x9e)));
    expect([...q4.slice(15, 17)]).toEqual([12, 2]);
  });

  it('f16 as IEEE 754 has it', () => {
    const every = new Uint16Array(65536).map((_, i) => i);
    const wide = new Float16Array(every.buffer);
    for (let bits = 0; bits < 65536; bits++) if (!Object.is(f16Value(bits), wide[bits]!)) expect.fail(`${bits}`);
  });
});
