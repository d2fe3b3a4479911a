// attention, one query row (b, h, t) after the other: scores of the visible keys, softmax, weighted sum of their values. Keys that
// are masked out are left out of the work: the visible ones are listed first. Rows go by head, so that keys and values of
// one head stay in the cache while its queries pass.
import { beginExpression, evaluate } from './expression';
import { tanh4 } from './math';
import { rowExp, rowMax } from './rows';
import { firstLanes, madd, storeLanes } from './simd';
import { f32At, i32At, pointerAt, shareStart } from './words';

const batchWord = 0;
const queriesWord = 1;
const headsWord = 2;
const keysMostWord = 3; // S
const groupsWord = 4;
const sizeWord = 5; // D
const valueSizeWord = 6; // Dv
const scaleWord = 7;
const causalWord = 8;
const startWord = 9; // addresses of i32
const keysWord = 10;
const windowWord = 11; // 0: none
const softcapWord = 12; // 0: none
const queryWord = 13; // address, then strides of B, T, H
const keyWord = 17; // address, then strides of B, S, G
const valueWord = 21; // address, then strides of B, S, G
const maskWord = 25; // address or 0, then strides of B, H, T, S
const biasWord = 30; // address or 0, then strides of B, H, T, S
const outWord = 35;
const expressionWord = 36;
const scratchWord = 37;
const scratchBytesWord = 38;
const scoresWord = 39; // offsets in scratch
const listWord = 40;

/** Offset of [b, h, t] in a view whose strides begin at a word. */
function offsetOf(params: usize, word: i32, i: i32, j: i32, k: i32): usize {
  return <usize>(i * i32At(params, word) + j * i32At(params, word + 1) + k * i32At(params, word + 2));
}

export function attention(params: usize, thread: i32, threads: i32): void {
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const batch = i32At(params, batchWord);
  const queries = i32At(params, queriesWord);
  const heads = i32At(params, headsWord);
  const groups = i32At(params, groupsWord);
  const valueSize = i32At(params, valueSizeWord);
  const causal = i32At(params, causalWord) != 0;
  const start = load<i32>(pointerAt(params, startWord));
  const keys = max(0, min(load<i32>(pointerAt(params, keysWord)), i32At(params, keysMostWord)));
  const window = i32At(params, windowWord);
  const mask = pointerAt(params, maskWord);
  const maskStride = i32At(params, maskWord + 4);
  const bias = pointerAt(params, biasWord);
  const scores = scratch + pointerAt(params, scoresWord);
  const list = scratch + pointerAt(params, listWord);
  const out = pointerAt(params, outWord);
  const expression = pointerAt(params, expressionWord);
  if (expression) beginExpression(expression, scratch);
  const rows = batch * heads * queries;
  const end = shareStart(rows, thread + 1, threads);
  let listedMask: usize = 0;
  let listedFrom = -1;
  let listedTo = -1;
  let listed = 0;
  for (let row = shareStart(rows, thread, threads); row < end; row++) {
    const t = row % queries;
    const h = (row / queries) % heads;
    const b = row / (queries * heads);
    const g = (h * groups) / heads;
    const element = ((b * queries + t) * heads + h) * valueSize;
    const to = out + ((<usize>element) << 2);
    let from = 0;
    let until = keys;
    if (causal) until = min(until, t + start + 1);
    if (window > 0) {
      from = max(from, t + start - window + 1);
      until = min(until, t + start + window);
    }
    let count = max(0, until - from);
    let byList = false;
    if (mask && count > 0) {
      const rowMask = mask + offsetOf(params, maskWord + 1, b, h, t);
      if (rowMask != listedMask || from != listedFrom || until != listedTo) {
        listed = listVisible(list, rowMask, maskStride, from, until);
        listedMask = rowMask;
        listedFrom = from;
        listedTo = until;
      }
      byList = listed < count;
      count = listed;
    }
    if (count > 0) {
      const q = pointerAt(params, queryWord) + offsetOf(params, queryWord + 1, b, t, h);
      const k = pointerAt(params, keyWord) + offsetOf(params, keyWord + 1, b, byList ? 0 : from, g);
      const v = pointerAt(params, valueWord) + offsetOf(params, valueWord + 1, b, byList ? 0 : from, g);
      const which = byList ? list : 0;
      scoreKeys(params, scores, q, k, which, count);
      if (bias) {
        const at = bias + offsetOf(params, biasWord + 1, b, h, t);
        const stride = i32At(params, biasWord + 4);
        for (let i = 0; i < count; i++) {
          const key = byList ? load<i32>(list + ((<usize>i) << 2)) : from + i;
          const score = scores + ((<usize>i) << 2);
          store<f32>(score, load<f32>(score) + load<f32>(at + key * stride));
        }
      }
      const sum = rowExp(scores, scores, count, rowMax(scores, count));
      weighValues(to, scores, v, i32At(params, valueWord + 2), which, count, valueSize, 1 / sum);
    } else memory.fill(to, 0, (<usize>valueSize) << 2);
    if (expression) evaluate(expression, scratch, element, valueSize);
  }
}

/** Numbers of the keys from `from` to `until` whose mask is not 0; how many they are. */
function listVisible(list: usize, mask: usize, stride: i32, from: i32, until: i32): i32 {
  let count = 0;
  for (let key = from; key < until; key++) {
    store<i32>(list + ((<usize>count) << 2), key);
    count += load<i32>(mask + key * stride) != 0 ? 1 : 0;
  }
  return count;
}

/** Where the i-th key lies; beyond the last one, that of the last. */
function keyOffset(list: usize, i: i32, count: i32, stride: i32): usize {
  const at = min(i, count - 1);
  return <usize>((list ? load<i32>(list + ((<usize>at) << 2)) : at) * stride);
}

/** scores = cap(scale · q·k) for `count` keys, four at a time. */
function scoreKeys(params: usize, scores: usize, q: usize, k: usize, list: usize, count: i32): void {
  const size = i32At(params, sizeWord);
  const stride = i32At(params, keyWord + 2);
  const scale = f32x4.splat(f32At(params, scaleWord));
  const softcap = f32At(params, softcapWord);
  const zero = f32x4.splat(0.0);
  const tail = firstLanes(size & 3);
  const whole = size & ~3;
  for (let i = 0; i < count; i += 4) {
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
    let score = f32x4.mul(sumEach(a, b, c, d), scale);
    if (softcap != 0) {
      const cap = f32x4.splat(softcap);
      score = f32x4.mul(cap, tanh4(f32x4.div(score, cap)));
    }
    v128.store(scores + ((<usize>i) << 2), score);
  }
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

/** to = factor · Σ p[i] · v[i], for up to 32 of the `size` elements at a time. */
function weighValues(
  to: usize,
  p: usize,
  v: usize,
  stride: i32,
  list: usize,
  count: i32,
  size: i32,
  factor: f32,
): void {
  const f = f32x4.splat(factor);
  const zero = f32x4.splat(0.0);
  let left = size;
  for (; left >= 32; left -= 32) {
    let s0 = zero;
    let s1 = zero;
    let s2 = zero;
    let s3 = zero;
    let s4 = zero;
    let s5 = zero;
    let s6 = zero;
    let s7 = zero;
    for (let i = 0; i < count; i++) {
      const at = v + keyOffset(list, i, count, stride);
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
  for (; left > 0; left -= 4) {
    // Two sums that alternate: one alone would wait for itself.
    let even = zero;
    let odd = zero;
    for (let i = 0; i < count; i += 2) {
      even = madd(v128.load32_splat(p + ((<usize>i) << 2)), v128.load(v + keyOffset(list, i, count, stride)), even);
      if (i + 1 < count)
        odd = madd(
          v128.load32_splat(p + ((<usize>i) << 2), 4),
          v128.load(v + keyOffset(list, i + 1, count, stride)),
          odd,
        );
    }
    const y = f32x4.mul(f32x4.add(even, odd), f);
    if (left >= 4) v128.store(to, y);
    else storeLanes(to, y, left);
    v += 16;
    to += 16;
  }
}
