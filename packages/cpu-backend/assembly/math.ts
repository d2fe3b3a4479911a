// exp, log, tanh and erf of four f32 at a time. Error bounds are in `src/kernels/expression.test.ts`, which measures them.
import { choose, madd, nmadd } from './simd';

const roundingMagic: f32 = 12582912.0; // 1.5 · 2^23: adding it rounds to a whole number, which then sits in the low bits.

/** 2^n · y without overflow in between, for whole n from -252 to 254: two factors keep subnormal results right. */
function scale(y: v128, n: v128): v128 {
  const half = i32x4.shr_s(n, 1);
  const bias = i32x4.splat(127);
  const first = i32x4.shl(i32x4.add(half, bias), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(n, half), bias), 23);
  return f32x4.mul(f32x4.mul(y, first), second);
}

/** e^x. Cody–Waite reduction by ln 2, polynomial of Cephes expf. -Inf gives 0, Inf gives Inf, NaN stays. */
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104.0)), f32x4.splat(89.0));
  const magic = f32x4.splat(roundingMagic);
  const shifted = madd(clamped, f32x4.splat(1.44269504), magic);
  const n = f32x4.sub(shifted, magic);
  let r = nmadd(n, f32x4.splat(0.693359375), clamped);
  r = nmadd(n, f32x4.splat(-2.1219444e-4), r);
  let p = madd(r, f32x4.splat(1.98756915e-4), f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1.0));
  return scale(p, i32x4.sub(shifted, magic));
}

/** ln x, as in musl's logf. 0 gives -Inf, a negative number NaN. */
export function log4(x: v128): v128 {
  const subnormal = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = choose(f32x4.mul(x, f32x4.splat(8388608.0)), x, subnormal);
  const bits = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(bits, 23);
  const mantissa = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  const e = f32x4.convert_i32x4_s(i32x4.sub(exponent, v128.and(subnormal, i32x4.splat(23))));
  const f = f32x4.sub(mantissa, f32x4.splat(1.0));
  const s = f32x4.div(f, f32x4.add(f, f32x4.splat(2.0)));
  const z = f32x4.mul(s, s);
  const w = f32x4.mul(z, z);
  const odd = f32x4.mul(w, madd(w, f32x4.splat(0.24279078841), f32x4.splat(0.40000972152)));
  const even = f32x4.mul(z, madd(w, f32x4.splat(0.28498786688), f32x4.splat(0.66666662693)));
  const half = f32x4.mul(f32x4.mul(f, f), f32x4.splat(0.5));
  let y = madd(s, f32x4.add(half, f32x4.add(odd, even)), f32x4.mul(e, f32x4.splat(9.0580006145e-6)));
  y = f32x4.add(f32x4.sub(y, half), f);
  y = madd(e, f32x4.splat(6.9313812256e-1), y);
  const infinity = f32x4.splat(Infinity);
  y = choose(infinity, y, f32x4.eq(x, infinity));
  y = choose(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0.0)));
  return choose(f32x4.splat(NaN), y, v128.or(f32x4.lt(x, f32x4.splat(0.0)), f32x4.ne(x, x)));
}

/** tanh x: an odd polynomial (Cephes tanhf) below 0.625, 1 − 2 / (e^2|x| + 1) above. */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = madd(z, f32x4.splat(-5.70498872745e-3), f32x4.splat(2.06390887954e-2));
  p = madd(p, z, f32x4.splat(-5.37397155531e-2));
  p = madd(p, z, f32x4.splat(1.33314422036e-1));
  p = madd(p, z, f32x4.splat(-3.33332819422e-1));
  const small = madd(f32x4.mul(p, z), x, x);
  const one = f32x4.splat(1.0);
  const e = exp4(f32x4.add(size, size));
  const large = f32x4.sub(one, f32x4.div(f32x4.splat(2.0), f32x4.add(e, one)));
  const signed = v128.or(large, v128.and(x, f32x4.splat(-0.0)));
  return choose(small, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

/** erf x: an odd polynomial below 475/512, 1 − e^P(|x|) above (N. Juffa's coefficients). */
export function erf4(x: v128): v128 {
  const t = f32x4.abs(x);
  const s = f32x4.mul(x, x);
  let p = madd(s, f32x4.splat(-5.96761703e-4), f32x4.splat(4.99119423e-3));
  p = madd(p, s, f32x4.splat(-2.67681349e-2));
  p = madd(p, s, f32x4.splat(1.12819925e-1));
  p = madd(p, s, f32x4.splat(-3.76125336e-1));
  p = madd(p, s, f32x4.splat(1.28379166e-1));
  const small = madd(p, x, x);
  let q = madd(t, f32x4.splat(-1.7285347e-5), f32x4.splat(3.83197126e-4));
  const u = madd(t, f32x4.splat(-3.88396438e-3), f32x4.splat(2.42546219e-2));
  q = madd(q, s, u);
  q = madd(q, t, f32x4.splat(-1.06777877e-1));
  q = madd(q, t, f32x4.splat(-6.34846687e-1));
  q = madd(q, t, f32x4.splat(-1.28717512e-1));
  q = madd(q, t, f32x4.neg(t));
  // Beyond 10 the polynomial turns round; erf is 1 there long since.
  q = choose(f32x4.splat(-104.0), q, f32x4.gt(t, f32x4.splat(10.0)));
  const large = f32x4.sub(f32x4.splat(1.0), exp4(q));
  const signed = v128.or(large, v128.and(x, f32x4.splat(-0.0)));
  return choose(signed, small, f32x4.gt(t, f32x4.splat(0.927734375)));
}
