// The vector operations that differ between the variants, and sums and maxima across lanes in a fixed order.

/** a · b + c; rounded once with relaxed SIMD (on hardware with fused multiply-add), twice without. */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a · b. */
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** `yes` where the mask's bits are set, `no` elsewhere; the mask has whole lanes set. */
export function choose(yes: v128, no: v128, mask: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_laneselect(yes, no, mask);
  return v128.bitselect(yes, no, mask);
}

export function sumLanes(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3));
}

export function maxLanes(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 2)),
    max(f32x4.extract_lane(x, 1), f32x4.extract_lane(x, 3)),
  );
}

/** A mask whose first `count` lanes (0 to 4) are set. */
export function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** Store the first `count` lanes (1 to 3). */
export function storeLanes(to: usize, x: v128, count: i32): void {
  v128.store_lane<f32>(to, x, 0);
  if (count > 1) v128.store_lane<f32>(to, x, 1, 4);
  if (count > 2) v128.store_lane<f32>(to, x, 2, 8);
}

/** What `widenF16` needs, to be held in registers. `one` is 1, a number that compilers do not know. */
export function halfMask(one: i32): v128 {
  return i32x4.splat(one * 0x8fffffff);
}
export function halfScale(one: i32): v128 {
  return i32x4.splat(one * 0x77800000); // 2^112
}

/** The values of four f16, given as sign-extended words. Subnormal numbers are exact; infinities and NaN are not known. */
export function widenF16(bits: v128, mask: v128, scale: v128): v128 {
  // The exponent comes to lie where f32 has its own, 112 too low.
  return f32x4.mul(v128.and(i32x4.shl(bits, 13), mask), scale);
}

export function sumIntegers(x: v128): i32 {
  return i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + (i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3));
}
