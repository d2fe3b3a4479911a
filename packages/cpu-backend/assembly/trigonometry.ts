// sin and cos of four f32: reduced to [-π/4, π/4] in f64 (π/2 in two parts, as in fdlibm), then the polynomials of Cephes.
// A few ULP up to |x| = 2^28; beyond, the absolute error grows by about |x| · 2^-52, and results stay within [-1, 1].
import { choose, madd, nmadd } from './simd';

const quarters: f64 = 6.36619772367581382433e-1;
const halfPiHigh: f64 = 1.5707963109016418457;
const halfPiLow: f64 = 1.58932547735281966916e-8;

/** Which quarter turn x is nearest to, as a whole f64. */
function nearestQuarter(x: v128): v128 {
  return f64x2.nearest(f64x2.mul(x, f64x2.splat(quarters)));
}

function reduce(x: v128, quarter: v128): v128 {
  const r = f64x2.sub(x, f64x2.mul(quarter, f64x2.splat(halfPiHigh)));
  return f64x2.sub(r, f64x2.mul(quarter, f64x2.splat(halfPiLow)));
}

/** quarter mod 4 as an i32 in the two low lanes. */
function turns(quarter: v128): v128 {
  const whole = f64x2.floor(f64x2.mul(quarter, f64x2.splat(0.25)));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.sub(quarter, f64x2.mul(whole, f64x2.splat(4.0))));
}

/** sin(x + shift · π/2). */
function sine(x: v128, shift: i32): v128 {
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
  const lowQuarter = nearestQuarter(low);
  const highQuarter = nearestQuarter(high);
  const join = i8x16.shuffle(
    f32x4.demote_f64x2_zero(reduce(low, lowQuarter)),
    f32x4.demote_f64x2_zero(reduce(high, highQuarter)),
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
  const turn = i32x4.add(
    i8x16.shuffle(turns(lowQuarter), turns(highQuarter), 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
    i32x4.splat(shift),
  );
  const limit = f32x4.splat(0.7853982);
  const r = f32x4.pmax(f32x4.pmin(join, limit), f32x4.neg(limit));
  const z = f32x4.mul(r, r);
  let s = madd(z, f32x4.splat(-1.9515295891e-4), f32x4.splat(8.3321608736e-3));
  s = madd(s, z, f32x4.splat(-1.6666654611e-1));
  s = madd(f32x4.mul(s, z), r, r);
  let c = madd(z, f32x4.splat(2.443315711809948e-5), f32x4.splat(-1.388731625493765e-3));
  c = madd(c, z, f32x4.splat(4.166664568298827e-2));
  c = madd(c, f32x4.mul(z, z), nmadd(z, f32x4.splat(0.5), f32x4.splat(1.0)));
  const odd = i32x4.ne(v128.and(turn, i32x4.splat(1)), i32x4.splat(0));
  const sign = i32x4.shl(v128.and(turn, i32x4.splat(2)), 30);
  return v128.xor(choose(c, s, odd), sign);
}

export function sin4(x: v128): v128 {
  return sine(x, 0);
}

export function cos4(x: v128): v128 {
  return sine(x, 1);
}
