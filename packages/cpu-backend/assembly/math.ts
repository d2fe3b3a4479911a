// exp, log, tanh and erf of four f32 at a time. Error bounds are in `src/kernels/pointwise.test.ts`, which measures them. Constants lie
// in memory: engines make those that they know anew at every use, which takes longer than the arithmetic.
import { choose, madd, nmadd } from './simd';

/** One of the constants of a table. */
function at(table: usize, i: i32): v128 {
  return v128.load32_splat(table + ((<usize>i) << 2));
}

// 1.5 · 2^23: adding it rounds to a whole number, which then sits in the low bits; 1 / ln 2; ln 2 in two parts, to be subtracted.
const reduction = memory.data<f32>([12582912.0, 1.44269504, 0.693359375, -2.1219444e-4]);
// The polynomial of Cephes expf, from r^7 to 1.
const expPolynomial = memory.data<f32>([
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1.0,
]);
const expLimits = memory.data<f32>([-104.0, 89.0, -88.0]);
const exponentBias = memory.data<i32>([127]);

/** e^r for |r| ≤ ln(2) / 2: three pairs of terms side by side, so that no product waits for all before it. */
function expNearZero(r: v128): v128 {
  const z = f32x4.mul(r, r);
  let p = madd(r, at(expPolynomial, 0), at(expPolynomial, 1));
  p = madd(p, z, madd(r, at(expPolynomial, 2), at(expPolynomial, 3)));
  p = madd(p, z, madd(r, at(expPolynomial, 4), at(expPolynomial, 5)));
  return madd(p, z, f32x4.add(r, at(expPolynomial, 6)));
}

/** e^x. Cody–Waite reduction by ln 2. -Inf gives 0, Inf gives Inf, NaN stays. */
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, at(expLimits, 0)), at(expLimits, 1));
  const magic = at(reduction, 0);
  const shifted = madd(clamped, at(reduction, 1), magic);
  const n = f32x4.sub(shifted, magic);
  const y = expNearZero(nmadd(n, at(reduction, 3), nmadd(n, at(reduction, 2), clamped)));
  // 2^n · y without overflow in between, for n from -150 to 128: two factors keep subnormal results right.
  const whole = i32x4.sub(shifted, magic);
  const half = i32x4.shr_s(whole, 1);
  const bias = at(exponentBias, 0);
  const first = i32x4.shl(i32x4.add(half, bias), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(whole, half), bias), 23);
  return f32x4.mul(f32x4.mul(y, first), second);
}

/** e^x for x up to 0, as above, but 0 where that is subnormal. */
export function expDown4(x: v128): v128 {
  const clamped = f32x4.pmax(x, at(expLimits, 2));
  const magic = at(reduction, 0);
  const shifted = madd(clamped, at(reduction, 1), magic);
  const n = f32x4.sub(shifted, magic);
  const y = expNearZero(nmadd(n, at(reduction, 3), nmadd(n, at(reduction, 2), clamped)));
  // n from -127 on: the magic number's own bits are shifted out, and of -127 nothing is left.
  return f32x4.mul(y, i32x4.shl(i32x4.add(shifted, at(exponentBias, 0)), 23));
}

// Of musl's logf: the smallest normal number, 2^23; the polynomial; ln 2 in two parts.
const logScaling = memory.data<f32>([1.17549435e-38, 8388608.0]);
const logPolynomial = memory.data<f32>([0.24279078841, 0.40000972152, 0.28498786688, 0.66666662693, 0.5, 1.0, 2.0]);
const logTwo = memory.data<f32>([9.0580006145e-6, 6.9313812256e-1]);
const squareRootHalf = memory.data<i32>([0x3f3504f3]);

/** ln x, as in musl's logf. 0 gives -Inf, a negative number NaN. */
export function log4(x: v128): v128 {
  const subnormal = f32x4.lt(x, at(logScaling, 0));
  const scaled = choose(f32x4.mul(x, at(logScaling, 1)), x, subnormal);
  const bits = i32x4.sub(scaled, at(squareRootHalf, 0));
  const exponent = i32x4.shr_s(bits, 23);
  const mantissa = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  const e = f32x4.convert_i32x4_s(i32x4.sub(exponent, v128.and(subnormal, i32x4.splat(23))));
  const f = f32x4.sub(mantissa, at(logPolynomial, 5));
  const s = f32x4.div(f, f32x4.add(f, at(logPolynomial, 6)));
  const z = f32x4.mul(s, s);
  const w = f32x4.mul(z, z);
  const odd = f32x4.mul(w, madd(w, at(logPolynomial, 0), at(logPolynomial, 1)));
  const even = f32x4.mul(z, madd(w, at(logPolynomial, 2), at(logPolynomial, 3)));
  const half = f32x4.mul(f32x4.mul(f, f), at(logPolynomial, 4));
  let y = madd(s, f32x4.add(half, f32x4.add(odd, even)), f32x4.mul(e, at(logTwo, 0)));
  y = f32x4.add(f32x4.sub(y, half), f);
  y = madd(e, at(logTwo, 1), y);
  const infinity = f32x4.splat(Infinity);
  y = choose(infinity, y, f32x4.eq(x, infinity));
  y = choose(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0.0)));
  return choose(f32x4.splat(NaN), y, v128.or(f32x4.lt(x, f32x4.splat(0.0)), f32x4.ne(x, x)));
}

const tanhPolynomial = memory.data<f32>([
  -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1, 0.625, 1.0, 2.0,
]);

/** tanh x: an odd polynomial (Cephes tanhf) below 0.625, 1 − 2 / (e^2|x| + 1) above. */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = madd(z, at(tanhPolynomial, 0), at(tanhPolynomial, 1));
  p = madd(p, z, at(tanhPolynomial, 2));
  p = madd(p, z, at(tanhPolynomial, 3));
  p = madd(p, z, at(tanhPolynomial, 4));
  const small = madd(f32x4.mul(p, z), x, x);
  const one = at(tanhPolynomial, 6);
  const e = exp4(f32x4.add(size, size));
  const large = f32x4.sub(one, f32x4.div(at(tanhPolynomial, 7), f32x4.add(e, one)));
  const signed = v128.or(large, v128.and(x, f32x4.splat(-0.0)));
  return choose(small, signed, f32x4.lt(size, at(tanhPolynomial, 5)));
}

const erfPolynomial = memory.data<f32>([
  -5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1,
]);
const erfcExponent = memory.data<f32>([
  -1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1,
]);
const erfLimits = memory.data<f32>([0.927734375, 10.0, -104.0, 1.0]);

/** erf x: an odd polynomial below 475/512, 1 − e^P(|x|) above (N. Juffa's coefficients). */
export function erf4(x: v128): v128 {
  const t = f32x4.abs(x);
  const s = f32x4.mul(x, x);
  let p = madd(s, at(erfPolynomial, 0), at(erfPolynomial, 1));
  p = madd(p, s, at(erfPolynomial, 2));
  p = madd(p, s, at(erfPolynomial, 3));
  p = madd(p, s, at(erfPolynomial, 4));
  p = madd(p, s, at(erfPolynomial, 5));
  const small = madd(p, x, x);
  let q = madd(t, at(erfcExponent, 0), at(erfcExponent, 1));
  q = madd(q, s, madd(t, at(erfcExponent, 2), at(erfcExponent, 3)));
  q = madd(q, t, at(erfcExponent, 4));
  q = madd(q, t, at(erfcExponent, 5));
  q = madd(q, t, at(erfcExponent, 6));
  q = madd(q, t, f32x4.neg(t));
  // Beyond 10 the polynomial turns round; erf is 1 there long since.
  q = choose(at(erfLimits, 2), q, f32x4.gt(t, at(erfLimits, 1)));
  const large = f32x4.sub(at(erfLimits, 3), expDown4(q));
  const signed = v128.or(large, v128.and(x, f32x4.splat(-0.0)));
  return choose(signed, small, f32x4.gt(t, at(erfLimits, 0)));
}
