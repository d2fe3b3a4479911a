// x^y of four f32, in f64: 2^(y · log2 |x|), so that the result is right to about one ULP even where the exponent is large.
import { choose } from './simd';

/** log2 of two positive f64: the logarithm of the mantissa as a series in (m − 1) / (m + 1). */
function log2(x: v128): v128 {
  const bits = i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd));
  const exponent = i64x2.shr_s(bits, 52);
  const m = i64x2.sub(x, i64x2.shl(exponent, 52));
  const e = f64x2.convert_low_i32x4_s(
    i8x16.shuffle(exponent, exponent, 0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11),
  );
  const one = f64x2.splat(1.0);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = f64x2.splat(1.0 / 15.0);
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 13.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 11.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 9.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 7.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 5.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 3.0));
  p = f64x2.add(f64x2.mul(p, z), one);
  return f64x2.add(e, f64x2.mul(f64x2.mul(p, s), f64x2.splat(2.8853900817779268)));
}

/** 2^x of two f64, x cut to [-200, 200]; the series of e^r for |r| ≤ ln(2) / 2. */
function exp2(x: v128): v128 {
  const cut = f64x2.pmax(f64x2.pmin(x, f64x2.splat(200.0)), f64x2.splat(-200.0));
  const n = f64x2.nearest(cut);
  const r = f64x2.mul(f64x2.sub(cut, n), f64x2.splat(0.6931471805599453));
  let p = f64x2.splat(1.0 / 362880.0);
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 40320.0));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 5040.0));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 720.0));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 120.0));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 24.0));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 6.0));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.5));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0));
  const whole = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(n));
  return i64x2.add(p, i64x2.shl(whole, 52));
}

/** |x|^y of the two low lanes, before the special cases. */
function powerLow(x: v128, y: v128): v128 {
  return f32x4.demote_f64x2_zero(exp2(f64x2.mul(f64x2.promote_low_f32x4(y), log2(f64x2.promote_low_f32x4(x)))));
}

export function pow4(x: v128, y: v128): v128 {
  const size = f32x4.abs(x);
  const zero = f32x4.splat(0.0);
  const one = f32x4.splat(1.0);
  const infinity = f32x4.splat(Infinity);
  const highX = i8x16.shuffle(size, size, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  const highY = i8x16.shuffle(y, y, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  let r = i8x16.shuffle(
    powerLow(size, y),
    powerLow(highX, highY),
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
  );
  const rising = f32x4.gt(y, zero);
  r = choose(choose(zero, infinity, rising), r, f32x4.eq(size, zero));
  r = choose(choose(infinity, zero, rising), r, f32x4.eq(size, infinity));
  r = choose(one, r, f32x4.eq(size, one));
  const whole = f32x4.eq(f32x4.floor(y), y);
  const halved = f32x4.mul(y, f32x4.splat(0.5));
  const odd = v128.and(whole, f32x4.ne(f32x4.floor(halved), halved));
  const negative = f32x4.lt(x, zero);
  const sign = v128.and(v128.and(x, f32x4.splat(-0.0)), odd);
  r = v128.xor(r, sign);
  r = choose(f32x4.splat(NaN), r, v128.andnot(negative, whole));
  r = choose(f32x4.splat(NaN), r, v128.or(f32x4.ne(x, x), f32x4.ne(y, y)));
  return choose(one, r, f32x4.eq(y, zero));
}
