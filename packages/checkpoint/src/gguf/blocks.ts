// From blocks of quantised elements to f32, as ggml defines them (ggml-common.h, dequantize_row_*). A block has one or two
// scales `d` and `m` in f16; the K types divide 256 elements further, each part with a small whole scale of its own.
// Every result is one rounding of an exact product or sum, so doubles give the same f32 as ggml's arithmetic.
import { halfTable } from '../half.ts';
import { blockOf, type BlockDType } from '../stored.ts';

/** Reads the block at byte `b` into the elements from `o` on. */
type Expand = (bytes: Uint8Array, b: number, out: Float32Array, o: number) => void;

/** Expand whole blocks. */
export function dequantize(bytes: Uint8Array, dtype: BlockDType, out: Float32Array): void {
  const block = blockOf(dtype);
  const expand = expands[dtype];
  half = halfTable();
  for (let b = 0, o = 0; b < bytes.length; b += block.bytes, o += block.elements) expand(bytes, b, out, o);
}

let half: Float32Array;
const f16 = (bytes: Uint8Array, at: number): number => half[bytes[at]! | (bytes[at + 1]! << 8)]!;
const i8 = (byte: number): number => (byte << 24) >> 24;

/** What the codes of the current block stand for. */
const values = new Float64Array(32);

/** Codes stand for d · (code - zero). */
function around(zero: number, d: number): void {
  for (let q = 0; q < 2 * zero; q++) values[q] = d * (q - zero);
}

/** Codes 0 … count-1 stand for d · code + m. */
function above(count: number, d: number, m: number): void {
  for (let q = 0; q < count; q++) values[q] = d * q + m;
}

/** Codes stand for the 16 values of the IQ4 types. */
function unabove(d: number): void {
  for (let q = 0; q < 16; q++) values[q] = d * uneven[q]!;
}

/** Four bits an element: 16 bytes hold elements 0–15 in their low halves and 16–31 in their high halves. */
function nibbles(bytes: Uint8Array, at: number, out: Float32Array, o: number): void {
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + i]!;
    out[o + i] = values[q & 15]!;
    out[o + 16 + i] = values[q >> 4]!;
  }
}

/** The same with a fifth bit each, from the four bytes before. */
function fiveBits(bytes: Uint8Array, at: number, out: Float32Array, o: number): void {
  const high = bytes[at - 4]! | (bytes[at - 3]! << 8) | (bytes[at - 2]! << 16) | (bytes[at - 1]! << 24);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + i]!;
    out[o + i] = values[(q & 15) | (((high >>> i) & 1) << 4)]!;
    out[o + 16 + i] = values[(q >> 4) | (((high >>> (i + 16)) & 1) << 4)]!;
  }
}

/** The eight scales and eight minimums of Q4_K and Q5_K, of six bits each in twelve bytes. */
function scaleOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j]! & 63 : (bytes[at + j + 4]! & 15) | ((bytes[at + j - 4]! >> 6) << 4);
}
function minimumOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j + 4]! & 63 : (bytes[at + j + 4]! >> 4) | ((bytes[at + j]! >> 6) << 4);
}

/** The 16 values of the IQ4 types. */
const uneven = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

const expands: Readonly<Record<BlockDType, Expand>> = {
  Q4_0(bytes, b, out, o) {
    around(8, f16(bytes, b));
    nibbles(bytes, b + 2, out, o);
  },
  Q4_1(bytes, b, out, o) {
    above(16, f16(bytes, b), f16(bytes, b + 2));
    nibbles(bytes, b + 4, out, o);
  },
  Q5_0(bytes, b, out, o) {
    around(16, f16(bytes, b));
    fiveBits(bytes, b + 6, out, o);
  },
  Q5_1(bytes, b, out, o) {
    above(32, f16(bytes, b), f16(bytes, b + 2));
    fiveBits(bytes, b + 8, out, o);
  },
  Q8_0(bytes, b, out, o) {
    const d = f16(bytes, b);
    for (let i = 0; i < 32; i++) out[o + i] = d * i8(bytes[b + 2 + i]!);
  },
  Q2_K(bytes, b, out, o) {
    const d = f16(bytes, b + 80);
    const m = f16(bytes, b + 82);
    for (let i = 0; i < 256; i++) {
      const scale = bytes[b + (i >> 4)]!;
      const q = (bytes[b + 16 + ((i >> 7) << 5) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
      out[o + i] = d * (scale & 15) * q - m * (scale >> 4);
    }
  },
  Q3_K(bytes, b, out, o) {
    const d = f16(bytes, b + 108);
    for (let i = 0; i < 256; i++) {
      const j = i >> 4;
      const low = (bytes[b + 96 + (j & 7)]! >> (4 * (j >> 3))) & 15;
      const high = (bytes[b + 104 + (j & 3)]! >> (2 * (j >> 2))) & 3;
      const q = (bytes[b + 32 + ((i >> 7) << 5) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
      const bit = (bytes[b + (i & 31)]! >> (i >> 5)) & 1;
      out[o + i] = d * ((low | (high << 4)) - 32) * (q - (bit ? 0 : 4));
    }
  },
  Q4_K(bytes, b, out, o) {
    const d = f16(bytes, b);
    const m = f16(bytes, b + 2);
    for (let j = 0; j < 8; j++) {
      const scale = d * scaleOf(bytes, b + 4, j);
      const minimum = m * minimumOf(bytes, b + 4, j);
      for (let i = 0; i < 32; i++) {
        const q = (bytes[b + 16 + ((j >> 1) << 5) + i]! >> (4 * (j & 1))) & 15;
        out[o + 32 * j + i] = scale * q - minimum;
      }
    }
  },
  Q5_K(bytes, b, out, o) {
    const d = f16(bytes, b);
    const m = f16(bytes, b + 2);
    for (let j = 0; j < 8; j++) {
      const scale = d * scaleOf(bytes, b + 4, j);
      const minimum = m * minimumOf(bytes, b + 4, j);
      for (let i = 0; i < 32; i++) {
        const q = (bytes[b + 48 + ((j >> 1) << 5) + i]! >> (4 * (j & 1))) & 15;
        const bit = (bytes[b + 16 + i]! >> j) & 1;
        out[o + 32 * j + i] = scale * (q | (bit << 4)) - minimum;
      }
    }
  },
  Q6_K(bytes, b, out, o) {
    const d = f16(bytes, b + 208);
    for (let i = 0; i < 256; i++) {
      const part = (i >> 5) & 3; // of 128 elements: two bits of the high byte each
      const low = (bytes[b + ((i >> 7) << 6) + ((part & 1) << 5) + (i & 31)]! >> (4 * (part >> 1))) & 15;
      const high = (bytes[b + 128 + ((i >> 7) << 5) + (i & 31)]! >> (2 * part)) & 3;
      out[o + i] = d * i8(bytes[b + 192 + (i >> 4)]!) * ((low | (high << 4)) - 32);
    }
  },
  IQ4_NL(bytes, b, out, o) {
    unabove(f16(bytes, b));
    nibbles(bytes, b + 2, out, o);
  },
  IQ4_XS(bytes, b, out, o) {
    const d = f16(bytes, b);
    const highs = bytes[b + 2]! | (bytes[b + 3]! << 8);
    for (let j = 0; j < 8; j++) {
      const low = (bytes[b + 4 + (j >> 1)]! >> (4 * (j & 1))) & 15;
      unabove(d * ((low | (((highs >> (2 * j)) & 3) << 4)) - 32));
      nibbles(bytes, b + 8 + 16 * j, out, o + 32 * j);
    }
  },
  TQ1_0(bytes, b, out, o) {
    const d = f16(bytes, b + 52);
    // Five digits of base 3 a byte as a fraction of 256; multiplying by a power of 3 brings one digit to the front.
    const digit = (at: number, power: number): number => d * (((((bytes[b + at]! * power) & 255) * 3) >> 8) - 1);
    for (const [at, width, powers, first] of ternary)
      for (let p = 0; p < powers.length; p++)
        for (let i = 0; i < width; i++) out[o + first + p * width + i] = digit(at + i, powers[p]!);
  },
  TQ2_0(bytes, b, out, o) {
    const d = f16(bytes, b + 64);
    for (let i = 0; i < 256; i++)
      out[o + i] = d * (((bytes[b + ((i >> 7) << 5) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3) - 1);
  },
};

/** Parts of a TQ1_0 block: first byte, bytes, powers of 3, first element. */
const ternary: readonly (readonly [number, number, readonly number[], number])[] = [
  [0, 32, [1, 3, 9, 27, 81], 0],
  [32, 16, [1, 3, 9, 27, 81], 160],
  [48, 4, [1, 3, 9, 27], 240],
];
