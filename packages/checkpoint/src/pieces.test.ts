import { describe, expect, it } from 'vitest';
import type { Arrangement } from './arrange.ts';
import { Workspace, type Arrays, type Target } from './convert.ts';
import { f16Bits } from './half.ts';
import { converted, runsOf } from './pieces.ts';
import type { StoredDType, TensorInfo } from './stored.ts';

const info = (dtype: StoredDType, shape: readonly number[], bytes: number, arranged?: Arrangement): TensorInfo => ({
  name: 'x',
  dtype,
  shape,
  file: 'file',
  start: 0,
  end: bytes,
  ...(arranged && { arranged }),
});

/** All runs of a part one after the other, of up to 4,096 elements, in one workspace. */
function run<T extends Target>(tensor: TensorInfo, bytes: Uint8Array<ArrayBuffer>, count: number, as: T): number[][] {
  const space = new Workspace();
  return Array.from(runsOf(tensor, count, 4096), (each) => [
    ...(converted(tensor, bytes, each, as, space) as Arrays['f32']),
  ]);
}

describe('pieces of a tensor', () => {
  const [rows, columns] = [192, 32];
  const at = (row: number, column: number): number => ((row * 31 + column) % 97) - 48;
  const original = Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));

  it.each([
    ['f32', 'F32'],
    ['f16', 'F32'],
    ['f32', 'F16'],
    ['f16', 'F16'],
  ] as const)('are in order as %s where the file (%s) has rows and columns exchanged', (as, dtype) => {
    const values = Array.from({ length: rows * columns }, (_, i) => at(i % rows, Math.floor(i / rows)));
    const stored = dtype === 'F32' ? Float32Array.from(values) : Uint16Array.from(values, f16Bits);
    const bytes = new Uint8Array(stored.buffer);
    const tensor = info(dtype, [rows, columns], bytes.length, { kind: 'transposed' });
    const pieces = run(tensor, bytes, values.length, as);
    expect(pieces.map((piece) => piece.length)).toEqual([128 * columns, 64 * columns]);
    const expected = as === 'f32' ? original : original.map(f16Bits);
    expect(pieces.flat()).toEqual(expected);
  });

  it.each(['f32', 'f16'] as const)('are in order as %s where the file has rows in pairs', (as) => {
    const [heads, size] = [2, rows / 2];
    const values = Array.from({ length: rows * columns }, (_, i) => {
      const row = Math.floor(i / columns);
      const pair = row % size;
      return at(row - pair + (pair >> 1) + (pair & 1 ? size / 2 : 0), i % columns);
    });
    // One byte further, so that elements do not lie where they would have to.
    const bytes = new Uint8Array(1 + 4 * values.length).subarray(1);
    bytes.set(new Uint8Array(Float32Array.from(values).buffer));
    const tensor = info('F32', [rows, columns], bytes.length, { kind: 'paired-rows', heads });
    const pieces = run(tensor, bytes, values.length, as);
    expect(pieces).toHaveLength(2);
    const expected = as === 'f32' ? original : original.map(f16Bits);
    expect(pieces.flat()).toEqual(expected);
  });

  it('keep blocks together, and leave what is added out', () => {
    const bytes = new Uint8Array((rows * columns * 34) / 32);
    for (let b = 0; b < bytes.length; b += 34) {
      new DataView(bytes.buffer).setUint16(b, f16Bits(1), true);
      for (let i = 0; i < 32; i++) bytes[b + 2 + i] = original[(b / 34) * 32 + i]!;
    }
    const plain = run(info('Q8_0', [rows, columns], bytes.length), bytes, original.length, 'f32');
    expect(plain.map((piece) => piece.length)).toEqual([4096, 2048]);
    expect(plain.flat()).toEqual(original);
    const added = info('Q8_0', [rows, columns], bytes.length, { kind: 'added', value: 1 });
    expect(run(added, bytes, original.length, 'f32').flat()).toEqual(original.map((value) => value - 1));
    const as = run(added, bytes, original.length, 'f16').flat();
    expect(as).toEqual(original.map((value) => f16Bits(value - 1)));
  });

  it('of nothing are one that is empty', () => {
    expect(run(info('F16', [0, 8], 0), new Uint8Array(0), 0, 'f32')).toEqual([[]]);
    expect(run(info('F16', [0, 8], 0, { kind: 'transposed' }), new Uint8Array(0), 0, 'f32')).toEqual([[]]);
  });

  it('of every plain type come out of places that do not fit it, in memory that is used again', () => {
    const space = new Workspace();
    const stored: Partial<Record<StoredDType, ArrayBufferView<ArrayBuffer>>> = {
      F64: Float64Array.of(1, 2, 3, 4),
      F32: Float32Array.of(1, 2, 3, 4),
      F16: Uint16Array.from([1, 2, 3, 4], f16Bits),
      BF16: Uint16Array.of(0x3f80, 0x4000, 0x4040, 0x4080),
      I64: BigInt64Array.of(1n, 2n, 3n, 4n),
      U64: BigUint64Array.of(1n, 2n, 3n, 4n),
      I32: Int32Array.of(1, 2, 3, 4),
      U16: Uint16Array.of(1, 2, 3, 4),
    };
    for (const [dtype, { buffer, byteLength }] of Object.entries(stored)) {
      const bytes = new Uint8Array(byteLength + 1).subarray(1);
      bytes.set(new Uint8Array(buffer));
      const tensor = info(dtype as StoredDType, [4], byteLength);
      for (const as of ['f32', 'f16'] as const) {
        const got = converted(tensor, bytes, { first: 0, count: 4 }, as, space);
        expect([dtype, as, ...got]).toEqual([dtype, as, ...[1, 2, 3, 4].map((v) => (as === 'f16' ? f16Bits(v) : v))]);
        expect([...converted(tensor, bytes, { first: 1, count: 2 }, as)]).toEqual([...got].slice(1, 3));
      }
    }
  });
});
