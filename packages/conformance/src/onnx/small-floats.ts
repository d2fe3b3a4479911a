// Floating-point numbers of 8 bits and fewer: what each code stands for, and which values a code begins at when rounding to it.

export interface SmallFloat {
  /** The value of every code; NaN where it stands for none. */
  readonly values: Float32Array;
  /** The code of the largest value, and of what a NaN becomes. */
  readonly largest: number;
  readonly nan: number;
  /** Code of infinity, where there is one. */
  readonly infinity?: number;
  /** The bit of the sign; 0 where there are no negative numbers. */
  readonly sign: number;
  /** Is negative zero a number? */
  readonly negativeZero: boolean;
}

interface Layout {
  readonly bits: number;
  readonly mantissa: number;
  readonly bias: number;
  /** What the codes at the end stand for. */
  readonly special: 'ieee' | 'one NaN' | 'NaN at negative zero' | 'none';
}

function make({ bits, mantissa, bias, special }: Layout): SmallFloat {
  const sign = 2 ** (bits - 1);
  const top = sign - 1;
  const values = Float32Array.from({ length: 2 * sign }, (_, code) => {
    const size = code % sign;
    const exponent = size >> mantissa;
    const fraction = (size % 2 ** mantissa) / 2 ** mantissa;
    const value = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
    const negative = code >= sign;
    if (special === 'NaN at negative zero' && code === sign) return NaN;
    if (special === 'one NaN' && size === top) return NaN;
    if (special === 'ieee' && exponent === top >> mantissa) return fraction > 0 ? NaN : negative ? -Infinity : Infinity;
    return negative ? -value : value;
  });
  const infinity = top - (2 ** mantissa - 1);
  switch (special) {
    case 'ieee':
      return { values, largest: infinity - 1, nan: infinity + 2 ** (mantissa - 1), infinity, sign, negativeZero: true };
    case 'one NaN':
      return { values, largest: top - 1, nan: top, sign, negativeZero: true };
    case 'NaN at negative zero':
      return { values, largest: top, nan: sign, sign, negativeZero: false };
    case 'none':
      return { values, largest: top, nan: sign, sign, negativeZero: true };
    default:
      return special satisfies never;
  }
}

/** Powers of two alone. */
const e8m0: SmallFloat = {
  values: Float32Array.from({ length: 256 }, (_, code) => (code === 255 ? NaN : 2 ** (code - 127))),
  largest: 254,
  nan: 255,
  sign: 0,
  negativeZero: false,
};

/** By ONNX's names (https://onnx.ai/onnx/technical/float8.html). */
export const smallFloats: Readonly<Record<string, SmallFloat>> = {
  float8e4m3fn: make({ bits: 8, mantissa: 3, bias: 7, special: 'one NaN' }),
  float8e4m3fnuz: make({ bits: 8, mantissa: 3, bias: 8, special: 'NaN at negative zero' }),
  float8e5m2: make({ bits: 8, mantissa: 2, bias: 15, special: 'ieee' }),
  float8e5m2fnuz: make({ bits: 8, mantissa: 2, bias: 16, special: 'NaN at negative zero' }),
  float4e2m1: make({ bits: 4, mantissa: 1, bias: 1, special: 'none' }),
  float8e8m0: e8m0,
};

/**
 * The smallest f32 that rounds to each code from 1 to `largest` (to the nearest value, halfway to the even code; upwards for powers of
 * two): the code of a size is how many of them it reaches.
 */
export function thresholds({ values, largest, sign }: SmallFloat): Float32Array {
  return Float32Array.from({ length: largest }, (_, i) => {
    if (sign === 0) return Math.max(next(values[i]!), 2 ** -126); // subnormal numbers may count as 0
    const middle = (values[i]! + values[i + 1]!) / 2;
    return i % 2 === 1 ? middle : next(middle);
  });
}

/** The next larger f32 of a number from 0 on. */
function next(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0]!++;
  return new Float32Array(bits.buffer)[0]!;
}
