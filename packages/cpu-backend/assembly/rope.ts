// rope: each row of D elements has its first R rotated in pairs by angles whose cosines and sines come as tables.
import { beginExpression, evaluate } from './expression';
import { madd, nmadd } from './simd';
import { copyElements, rowOffset } from './views';
import { i32At, pointerAt, shareStart } from './words';

const rowsWord = 0; // B · T · H
const shapeWord = 1; // [B, T, H]
const sizeWord = 2; // D
const halfWord = 3; // R / 2
const interleavedWord = 4;
const fromWord = 5;
const fromStridesWord = 6; // of B, T, H and D
const cosWord = 7;
const cosStridesWord = 8; // of B, T, H and R/2
const sinWord = 9;
const sinStridesWord = 10;
const outWord = 11;
const expressionWord = 12;
const scratchWord = 13;
const scratchBytesWord = 14;

export function rope(params: usize, thread: i32, threads: i32): void {
  const rows = i32At(params, rowsWord);
  const shape = pointerAt(params, shapeWord);
  const size = i32At(params, sizeWord);
  const half = i32At(params, halfWord);
  const interleaved = i32At(params, interleavedWord) != 0;
  const fromStrides = pointerAt(params, fromStridesWord);
  const cosStrides = pointerAt(params, cosStridesWord);
  const sinStrides = pointerAt(params, sinStridesWord);
  const stride = load<i32>(fromStrides, 12);
  const cosStride = load<i32>(cosStrides, 12);
  const sinStride = load<i32>(sinStrides, 12);
  const contiguous = stride == 4 && cosStride == 4 && sinStride == 4;
  const from = shareStart(rows, thread, threads);
  const end = shareStart(rows, thread + 1, threads);
  for (let row = from; row < end; row++) {
    const x = pointerAt(params, fromWord) + rowOffset(row, 3, shape, fromStrides);
    const cos = pointerAt(params, cosWord) + rowOffset(row, 3, shape, cosStrides);
    const sin = pointerAt(params, sinWord) + rowOffset(row, 3, shape, sinStrides);
    const to = pointerAt(params, outWord) + ((<usize>(row * size)) << 2);
    let done = 0;
    if (contiguous) done = interleaved ? rotateNeighbours(to, x, cos, sin, half) : rotateHalves(to, x, cos, sin, half);
    for (; done < half; done++) {
      const first = interleaved ? done << 1 : done;
      const second = interleaved ? first + 1 : done + half;
      const a = load<f32>(x + first * stride);
      const b = load<f32>(x + second * stride);
      const c = load<f32>(cos + done * cosStride);
      const s = load<f32>(sin + done * sinStride);
      store<f32>(to + ((<usize>first) << 2), a * c - b * s);
      store<f32>(to + ((<usize>second) << 2), b * c + a * s);
    }
    const rotated = half << 1;
    if (rotated < size) copyElements(to + ((<usize>rotated) << 2), 4, x + rotated * stride, stride, size - rotated);
  }
  const expression = pointerAt(params, expressionWord);
  if (!expression) return;
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  beginExpression(expression, scratch);
  evaluate(expression, scratch, from * size, (end - from) * size);
}

/** Pairs (x[i], x[i + half]), four at a time; how many were done. */
function rotateHalves(to: usize, x: usize, cos: usize, sin: usize, half: i32): i32 {
  const apart = (<usize>half) << 2;
  let done = 0;
  for (; done + 4 <= half; done += 4) {
    const at = (<usize>done) << 2;
    const a = v128.load(x + at);
    const b = v128.load(x + at + apart);
    const c = v128.load(cos + at);
    const s = v128.load(sin + at);
    v128.store(to + at, nmadd(b, s, f32x4.mul(a, c)));
    v128.store(to + at + apart, madd(a, s, f32x4.mul(b, c)));
  }
  return done;
}

/** Pairs (x[2i], x[2i + 1]), two at a time; how many were done. */
function rotateNeighbours(to: usize, x: usize, cos: usize, sin: usize, half: i32): i32 {
  const signs = f32x4(-0.0, 0.0, -0.0, 0.0);
  let done = 0;
  for (; done + 2 <= half; done += 2) {
    const at = (<usize>done) << 2;
    const pairs = v128.load(x + 2 * at);
    const swapped = i8x16.shuffle(pairs, pairs, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    const cs = v128.load64_zero(cos + at);
    const ss = v128.load64_zero(sin + at);
    const c = i8x16.shuffle(cs, cs, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7);
    const s = i8x16.shuffle(ss, ss, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7);
    v128.store(to + 2 * at, madd(swapped, v128.xor(s, signs), f32x4.mul(pairs, c)));
  }
  return done;
}
