// From f32 to the blocks Q8_0 and Q4_0, with the rounding of ggml (quantize_row_q8_0_ref, quantize_row_q4_0_ref): 32 values of a
// row share a scale in f16.
import { f16Bits } from '../half.ts';

const BLOCK = 32;
/** The largest scale that f16 holds. */
const MAX_SCALE = 65504;

/** Why a block cannot be made: the element and its value. */
export interface Misfit {
  readonly at: number;
  readonly value: number;
}

/** Whole blocks of 8 bits. Returns the first value that no scale fits, or undefined. */
export function quantizeQ8(values: Float32Array, out: Uint8Array): Misfit | undefined {
  for (let i = 0, b = 0; i < values.length; i += BLOCK, b += 34) {
    let largest = 0;
    for (let j = i; j < i + BLOCK; j++) {
      const size = Math.abs(values[j]!);
      // A NaN stays.
      if (size > largest || size !== size) largest = size;
    }
    const d = Math.fround(largest / 127);
    if (!(d <= MAX_SCALE)) return misfit(values, i);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    writeScale(out, b, d);
    for (let j = 0; j < BLOCK; j++) {
      const scaled = Math.fround(values[i + j]! * inverse);
      // Halves go away from zero.
      out[b + 2 + j] = (scaled + (scaled < 0 ? -0.5 : 0.5)) | 0;
    }
  }
  return undefined;
}

/** Whole blocks of 4 bits. Returns the first value that no scale fits, or undefined. */
export function quantizeQ4(values: Float32Array, out: Uint8Array): Misfit | undefined {
  const code = (value: number, inverse: number): number => Math.max(0, Math.min(15, Math.trunc(value * inverse + 8.5)));
  for (let i = 0, b = 0; i < values.length; i += BLOCK, b += 18) {
    const d = Math.fround(values[extreme(values, i)]! / -8);
    if (!(Math.abs(d) <= MAX_SCALE)) return misfit(values, i);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    writeScale(out, b, d);
    for (let j = 0; j < 16; j++)
      out[b + 2 + j] = code(values[i + j]!, inverse) | (code(values[i + 16 + j]!, inverse) << 4);
  }
  return undefined;
}

/** Where in a block the value of the largest size is; NaN counts as larger than all. */
function extreme(values: Float32Array, start: number): number {
  let at = start;
  for (let i = start; i < start + BLOCK; i++) {
    if (Number.isNaN(values[i])) return i;
    if (Math.abs(values[i]!) > Math.abs(values[at]!)) at = i;
  }
  return at;
}

const misfit = (values: Float32Array, start: number): Misfit => {
  const at = extreme(values, start);
  return { at, value: values[at]! };
};

function writeScale(out: Uint8Array, at: number, d: number): void {
  const bits = f16Bits(d);
  out[at] = bits & 255;
  out[at + 1] = bits >> 8;
}
