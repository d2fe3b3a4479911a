// Queries against keys, and weights times values, for one or two rows of attention and some of their keys.
import { tanh4 } from './math';
import { firstLanes, madd, storeLanes } from './simd';

/** Where the i-th key lies; beyond the last one, that of the last. */
function keyOffset(list: usize, i: i32, count: i32, stride: i32): usize {
  const at = min(i, count - 1);
  return <usize>((list ? load<i32>(list + ((<usize>at) << 2)) : at) * stride);
}

/** (Σa, Σb, Σc, Σd). */
function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(
    i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23),
    i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31),
  );
  const cd = f32x4.add(
    i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23),
    i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31),
  );
  return f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/** cap(scale · product) */
function score4(product: v128, scale: f32, softcap: f32): v128 {
  const score = f32x4.mul(product, f32x4.splat(scale));
  if (softcap == 0) return score;
  const cap = f32x4.splat(softcap);
  return f32x4.mul(cap, tanh4(f32x4.div(score, cap)));
}

/** Scores of keys `from` … `end − 1` of `count`, four at a time. */
export function scoreRow(
  scores: usize,
  q: usize,
  k: usize,
  stride: i32,
  list: usize,
  from: i32,
  end: i32,
  count: i32,
  size: i32,
  scale: f32,
  softcap: f32,
): void {
  const zero = f32x4.splat(0.0);
  const tail = firstLanes(size & 3);
  const whole = size & ~3;
  for (let i = from; i < end; i += 4) {
    let k0 = k + keyOffset(list, i, count, stride);
    let k1 = k + keyOffset(list, i + 1, count, stride);
    let k2 = k + keyOffset(list, i + 2, count, stride);
    let k3 = k + keyOffset(list, i + 3, count, stride);
    let at = q;
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    for (let j = 0; j < whole; j += 4) {
      const x = v128.load(at);
      a = madd(x, v128.load(k0), a);
      b = madd(x, v128.load(k1), b);
      c = madd(x, v128.load(k2), c);
      d = madd(x, v128.load(k3), d);
      at += 16;
      k0 += 16;
      k1 += 16;
      k2 += 16;
      k3 += 16;
    }
    if (whole < size) {
      const x = v128.and(v128.load(at), tail);
      a = madd(x, v128.and(v128.load(k0), tail), a);
      b = madd(x, v128.and(v128.load(k1), tail), b);
      c = madd(x, v128.and(v128.load(k2), tail), c);
      d = madd(x, v128.and(v128.load(k3), tail), d);
    }
    v128.store(scores + ((<usize>i) << 2), score4(sumEach(a, b, c, d), scale, softcap));
  }
}

/** The same for two queries, whose scores lie `scoresRow` bytes apart. */
export function scorePair(
  scores: usize,
  scoresRow: usize,
  q: usize,
  other: usize,
  k: usize,
  stride: i32,
  list: usize,
  from: i32,
  end: i32,
  count: i32,
  size: i32,
  scale: f32,
  softcap: f32,
): void {
  const zero = f32x4.splat(0.0);
  const tail = firstLanes(size & 3);
  const whole = size & ~3;
  const apart = other - q;
  for (let i = from; i < end; i += 4) {
    let k0 = k + keyOffset(list, i, count, stride);
    let k1 = k + keyOffset(list, i + 1, count, stride);
    let k2 = k + keyOffset(list, i + 2, count, stride);
    let k3 = k + keyOffset(list, i + 3, count, stride);
    let at = q;
    let a0 = zero;
    let b0 = zero;
    let c0 = zero;
    let d0 = zero;
    let a1 = zero;
    let b1 = zero;
    let c1 = zero;
    let d1 = zero;
    let key = zero;
    for (let j = 0; j < whole; j += 4) {
      const x = v128.load(at);
      const y = v128.load(at + apart);
      key = v128.load(k0);
      a0 = madd(x, key, a0);
      a1 = madd(y, key, a1);
      key = v128.load(k1);
      b0 = madd(x, key, b0);
      b1 = madd(y, key, b1);
      key = v128.load(k2);
      c0 = madd(x, key, c0);
      c1 = madd(y, key, c1);
      key = v128.load(k3);
      d0 = madd(x, key, d0);
      d1 = madd(y, key, d1);
      at += 16;
      k0 += 16;
      k1 += 16;
      k2 += 16;
      k3 += 16;
    }
    if (whole < size) {
      const x = v128.and(v128.load(at), tail);
      const y = v128.and(v128.load(at + apart), tail);
      key = v128.and(v128.load(k0), tail);
      a0 = madd(x, key, a0);
      a1 = madd(y, key, a1);
      key = v128.and(v128.load(k1), tail);
      b0 = madd(x, key, b0);
      b1 = madd(y, key, b1);
      key = v128.and(v128.load(k2), tail);
      c0 = madd(x, key, c0);
      c1 = madd(y, key, c1);
      key = v128.and(v128.load(k3), tail);
      d0 = madd(x, key, d0);
      d1 = madd(y, key, d1);
    }
    const to = scores + ((<usize>i) << 2);
    v128.store(to, score4(sumEach(a0, b0, c0, d0), scale, softcap));
    v128.store(to + scoresRow, score4(sumEach(a1, b1, c1, d1), scale, softcap));
  }
}

/** to = factor · (to + Σ p[i] · v[i]) over keys `from` … `end − 1`, for up to 32 of the `size` elements at a time. */
export function weighValues(
  to: usize,
  p: usize,
  v: usize,
  stride: i32,
  list: usize,
  from: i32,
  end: i32,
  size: i32,
  factor: f32,
): void {
  const f = f32x4.splat(factor);
  let left = size;
  for (; left >= 32; left -= 32) {
    let s0 = v128.load(to);
    let s1 = v128.load(to, 16);
    let s2 = v128.load(to, 32);
    let s3 = v128.load(to, 48);
    let s4 = v128.load(to, 64);
    let s5 = v128.load(to, 80);
    let s6 = v128.load(to, 96);
    let s7 = v128.load(to, 112);
    for (let i = from; i < end; i++) {
      const at = v + keyOffset(list, i, end, stride);
      const x = v128.load32_splat(p + ((<usize>i) << 2));
      s0 = madd(x, v128.load(at), s0);
      s1 = madd(x, v128.load(at, 16), s1);
      s2 = madd(x, v128.load(at, 32), s2);
      s3 = madd(x, v128.load(at, 48), s3);
      s4 = madd(x, v128.load(at, 64), s4);
      s5 = madd(x, v128.load(at, 80), s5);
      s6 = madd(x, v128.load(at, 96), s6);
      s7 = madd(x, v128.load(at, 112), s7);
    }
    v128.store(to, f32x4.mul(s0, f));
    v128.store(to, f32x4.mul(s1, f), 16);
    v128.store(to, f32x4.mul(s2, f), 32);
    v128.store(to, f32x4.mul(s3, f), 48);
    v128.store(to, f32x4.mul(s4, f), 64);
    v128.store(to, f32x4.mul(s5, f), 80);
    v128.store(to, f32x4.mul(s6, f), 96);
    v128.store(to, f32x4.mul(s7, f), 112);
    v += 128;
    to += 128;
  }
  for (; left >= 16; left -= 16) {
    let s0 = v128.load(to);
    let s1 = v128.load(to, 16);
    let s2 = v128.load(to, 32);
    let s3 = v128.load(to, 48);
    for (let i = from; i < end; i++) {
      const at = v + keyOffset(list, i, end, stride);
      const x = v128.load32_splat(p + ((<usize>i) << 2));
      s0 = madd(x, v128.load(at), s0);
      s1 = madd(x, v128.load(at, 16), s1);
      s2 = madd(x, v128.load(at, 32), s2);
      s3 = madd(x, v128.load(at, 48), s3);
    }
    v128.store(to, f32x4.mul(s0, f));
    v128.store(to, f32x4.mul(s1, f), 16);
    v128.store(to, f32x4.mul(s2, f), 32);
    v128.store(to, f32x4.mul(s3, f), 48);
    v += 64;
    to += 64;
  }
  for (; left > 0; left -= 4) {
    let s = v128.load(to);
    for (let i = from; i < end; i++)
      s = madd(v128.load32_splat(p + ((<usize>i) << 2)), v128.load(v + keyOffset(list, i, end, stride)), s);
    s = f32x4.mul(s, f);
    if (left >= 4) v128.store(to, s);
    else storeLanes(to, s, left);
    v += 16;
    to += 16;
  }
}
