// How far a correct result may lie from the exact one. Every number here follows from what an arithmetic promises for one
// operation, and from how many operations there are; docs/numerics.md explains them. No number was chosen to make a test pass.
import type { Arithmetic, Fused, ScalarFn } from '@transept/tensor';

/** A unit in the last place of an f32 near 1: results are off by multiples of it, relatively. */
export const ulp = 2 ** -23;
/** The largest f32, and the smallest with all its digits: below it, digits are lost or the number counts as 0. */
export const largest = (2 - 2 ** -23) * 2 ** 127;
export const smallestNormal = 2 ** -126;

/** The same three of f16. */
export const half = { ulp: 2 ** -10, largest: 65504, smallestNormal: 2 ** -14 } as const;

/** Relative error of one correctly rounded operation. WGSL leaves open which of the two neighbours is taken. */
export const rounding = (arithmetic: Arithmetic): number => (arithmetic === 'ieee' ? ulp / 2 : ulp);

/** γ(n) of Higham, Accuracy and Stability of Numerical Algorithms, §3.1: n roundings on top of each other, relatively. */
export function gamma(n: number, arithmetic: Arithmetic): number {
  const u = n * rounding(arithmetic);
  return u < 1 ? u / (1 - u) : Infinity;
}

/** A sum of n terms, each of them perhaps a product, in any order; to be multiplied by the sum of the terms' sizes. */
export const sumError = (n: number, arithmetic: Arithmetic): number => gamma(n + 2, arithmetic);

/** Error of a function that an f32 device evaluates on exact arguments, given its exact value. Infinity: nothing is promised. */
export function functionError(
  fn: ScalarFn,
  value: number,
  [x = 0, y = 0]: readonly number[],
  arithmetic: Arithmetic,
): number {
  const ulps = (n: number): number => n * ulp * Math.abs(value);
  const wgsl = arithmetic === 'wgsl';
  switch (fn) {
    case 'add':
    case 'sub':
    case 'mul':
      return rounding(arithmetic) * Math.abs(value);
    case 'div':
    case 'rsqrt':
      return ulps(4);
    case 'sqrt':
      return ulps(wgsl ? 5 : 4); // WGSL: 1 / inverseSqrt(x), 2.5 and 2 ULP
    case 'exp':
      return ulps(4 + 2 * Math.abs(x));
    case 'log':
      return Math.max(ulps(4), wgsl ? 2 ** -20 : 0);
    case 'tanh':
    case 'erf':
      return wgsl ? 2e-5 : Math.max(ulps(4), 1e-7);
    case 'sin':
    case 'cos':
      if (wgsl) return Math.abs(x) <= Math.PI ? 2 ** -11 : Infinity;
      return Math.max(ulps(4), 1e-7);
    case 'pow': {
      // exp2(y · log2 |x|): the error of the logarithm is multiplied by y, and the exponential adds its own.
      const log = Math.log2(Math.abs(x));
      const exponent = Math.abs(y * log);
      if (!(exponent > 0) || !Number.isFinite(exponent)) return ulps(4);
      const logError = Math.max(4 * ulp * Math.abs(log), wgsl ? 2 ** -20 : 0);
      return ulps(4 + 2 * exponent) + Math.LN2 * (Math.abs(y) * logError + ulp * exponent) * Math.abs(value);
    }
    case 'mod':
      return wgsl ? 4 * ulp * Math.abs(x) : 0; // x − y·trunc(x / y)
    default:
      return 0; // comparisons, selection, extremes, rounding to whole numbers, integers: exact
  }
}

/**
 * Weights stored as whole numbers may be multiplied by whole numbers: each element of the other operand may be off by this part of
 * the largest of its block, as are those of 16 bits. It is far less than what storing cost.
 */
export const wholeNumberStep = 2 ** -16;

/**
 * A fused kernel may arrange the steps of its definition in another way: scale q instead of the scores, multiply by a reciprocal
 * instead of dividing, fold a weight into the scale. Each such step replaces one of the definition's, so the error at most doubles.
 */
export const rearranged = 2;

/**
 * Relative error that each exponential of a fused operation may have on top, in ULP, where a row has n of them. A running maximum
 * (Milakov & Gimelshein, arXiv:1805.02867) multiplies what was summed before it by another exponential; kernels that take
 * four elements at a time do so n / 4 times, at 4 ULP each. In attention numerator and denominator are multiplied by the same
 * number, whose error cancels; the rounding of the products stays.
 */
export function rescaling(op: Fused, n: number): number {
  if (op === 'attention') return n / 4;
  return exponentials.has(op) ? n : 0;
}

const exponentials: ReadonlySet<Fused> = new Set(['softmax', 'logSoftmax', 'crossEntropy', 'crossEntropyGradient']);

/** Rounding to the type a value is stored in, given its size. */
export const storageError = (dtype: 'f16' | 'f32', size: number): number =>
  dtype === 'f16' ? Math.max(half.ulp * size, half.smallestNormal * half.ulp) : 0;
