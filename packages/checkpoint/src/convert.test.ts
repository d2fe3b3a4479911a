import { describe, expect, it } from 'vitest';
import { convert, ConversionError } from './convert.ts';
import { f16Bits, halfTable } from './half.ts';

const bytesOf = (view: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

describe('halfTable and f16Bits', () => {
  it('agree with values from the standard', () => {
    const table = halfTable();
    const known: [number, number][] = [
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
      [0x8000, -0],
    ];
    for (const [bits, value] of known) {
      expect(table[bits]).toBe(value);
      expect(f16Bits(value)).toBe(bits);
    }
    expect(table[0x7e00]).toBeNaN();
    expect(f16Bits(NaN) & 0x7fff).toBeGreaterThan(0x7c00);
  });

  it('are inverse on all 65,536 values', () => {
    const table = halfTable();
    for (let bits = 0; bits < 65536; bits++) if (table[bits] === table[bits]) expect(f16Bits(table[bits]!)).toBe(bits);
  });

  it('round to nearest, ties to even', () => {
    const table = halfTable();
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = table[bits]!;
      const high = table[bits + 1]!;
      expect(f16Bits((low + high) / 2)).toBe(bits & 1 ? bits + 1 : bits);
      expect(f16Bits(low + (high - low) * 0.499)).toBe(bits);
      expect(f16Bits(-(low + (high - low) * 0.501))).toBe(0x8000 | (bits + 1));
    }
    expect(f16Bits(65519.99)).toBe(0x7bff);
    expect(f16Bits(65520)).toBe(0x7c00);
    // Just above a tie: rounding to f32 first would lose the difference.
    expect(f16Bits(1 + 2 ** -11 + 2 ** -40)).toBe(0x3c01);
  });
});

describe('convert', () => {
  it('rounds f32 to f16 as the standard says, at every exponent and at ties', () => {
    const values: number[] = [];
    for (let exponent = -30; exponent <= 15; exponent++)
      for (const fraction of [
        0,
        1,
        2 ** 12 - 1,
        2 ** 12,
        2 ** 12 + 1,
        3 * 2 ** 12,
        2 ** 13,
        2 ** 23 - 2 ** 12 - 1,
        2 ** 22 + 7,
      ])
        values.push((1 + fraction / 2 ** 23) * 2 ** exponent, -(1 + fraction / 2 ** 23) * 2 ** exponent);
    const wide = Float32Array.from([...values, 0, -0, NaN, Infinity, -Infinity, 65504, 65519.996]);
    const bits = convert(new Uint8Array(wide.buffer), 'F32', 'f16');
    expect([...bits]).toEqual([...new Uint16Array(new Float16Array(wide).buffer)]);
  });

  it('copies what has the right type', () => {
    const source = Float32Array.of(1.5, -0, NaN);
    const out = convert(bytesOf(source), 'F32', 'f32');
    expect([...out]).toEqual([1.5, -0, NaN]);
    expect(out.buffer).not.toBe(source.buffer);
  });

  it('widens and narrows floats', () => {
    expect([...convert(bytesOf(Uint16Array.of(0x3c00, 0xfbff)), 'F16', 'f32')]).toEqual([1, -65504]);
    expect([...convert(bytesOf(Uint16Array.of(0x3fc0, 0xff80)), 'BF16', 'f32')]).toEqual([1.5, -Infinity]);
    expect([...convert(bytesOf(Float64Array.of(0.1, -Infinity)), 'F64', 'f32')]).toEqual([Math.fround(0.1), -Infinity]);
    expect([...convert(bytesOf(Float32Array.of(1, 65519)), 'F32', 'f16')]).toEqual([0x3c00, 0x7bff]);
    expect([...convert(bytesOf(Uint16Array.of(0x3fc0)), 'BF16', 'f16')]).toEqual([0x3e00]);
  });

  it('changes the size of whole numbers', () => {
    expect([...convert(bytesOf(BigInt64Array.of(-5n, 2n ** 31n - 1n)), 'I64', 'i32')]).toEqual([-5, 2147483647]);
    expect([...convert(bytesOf(Uint8Array.of(0, 1, 7)), 'BOOL', 'i32')]).toEqual([0, 1, 1]);
    expect([...convert(bytesOf(Int8Array.of(-128, 127)), 'I8', 'f32')]).toEqual([-128, 127]);
    expect([...convert(bytesOf(Uint32Array.of(4294967295)), 'U32', 'u32')]).toEqual([4294967295]);
    expect([...convert(bytesOf(Int16Array.of(-300)), 'I16', 'i32')]).toEqual([-300]);
  });

  it('reads bytes at odd addresses', () => {
    for (const shift of [1, 2, 3]) {
      const memory = new Uint8Array(20);
      memory.set(bytesOf(Float64Array.of(1.25, -2)), shift);
      expect([...convert(memory.subarray(shift, shift + 16), 'F64', 'f32')]).toEqual([1.25, -2]);
    }
  });

  it.each([
    ['F32', 'f16', Float32Array.of(0, 65520), /element 1 is 65520, which f16 cannot hold/],
    ['F64', 'f32', Float64Array.of(1e39), /element 0 is 1e\+39, which f32 cannot hold/],
    [
      'I64',
      'i32',
      BigInt64Array.of(2n ** 31n),
      /element 0 is 2147483648, which i32 cannot hold; expected -2147483648 to/,
    ],
    ['U64', 'i32', BigUint64Array.of(2n ** 64n - 1n), /which i32 cannot hold/],
    ['I32', 'u8', Int32Array.of(3, -1), /element 1 is -1, which u8 cannot hold/],
    ['I32', 'f32', Int32Array.of(2 ** 24 + 1), /which f32 cannot hold/],
    ['F32', 'i32', Float32Array.of(1), /F32 does not convert to i32/],
    ['F16', 'u8', Uint16Array.of(1), /F16 does not convert to u8/],
  ] as const)('refuses %s as %s where a value would change', (from, to, values, message) => {
    expect(() => convert(bytesOf(values), from, to)).toThrow(message);
    expect(() => convert(bytesOf(values), from, to)).toThrow(ConversionError);
  });
});
