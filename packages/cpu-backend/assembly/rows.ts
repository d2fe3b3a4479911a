// What softmax, normalisation and argmax share: walking over the rows of a view, and passes over one contiguous row. Vectors may
// reach beyond a row when they are read, never when they are written.
import { expDown4 } from './math';
import { choose, firstLanes, madd, maxLanes, storeLanes, sumLanes } from './simd';
import { copyElements, rowOffset } from './views';
import { i32At, pointerAt } from './words';

// Words that begin the parameters of every kernel over rows; its own follow.
export const rowsWord = 0;
export const columnsWord = 1;
const axesWord = 2;
const shapeWord = 3;
const stridesWord = 4;
const columnStrideWord = 5;
const fromWord = 6;
export const outWord = 7;
export const expressionWord = 8;
export const scratchWord = 9;
export const scratchBytesWord = 10;
const rowScratchWord = 11; // offset in scratch of a copy of the row
export const ownWord = 12;

/** Where the element of a row lies in a view of the shape of the rows, whose strides lie at `strides`. */
export function besideRow(params: usize, view: usize, strides: usize, row: i32): usize {
  return view + rowOffset(row, i32At(params, axesWord), pointerAt(params, shapeWord), strides);
}

/** The row as contiguous memory: where it lies, or a copy of it in scratch. */
export function contiguousRow(params: usize, scratch: usize, row: i32): usize {
  const at =
    pointerAt(params, fromWord) +
    rowOffset(row, i32At(params, axesWord), pointerAt(params, shapeWord), pointerAt(params, stridesWord));
  const stride = i32At(params, columnStrideWord);
  if (stride == 4) return at;
  const copy = scratch + pointerAt(params, rowScratchWord);
  copyElements(copy, 4, at, stride, i32At(params, columnsWord));
  return copy;
}

export function rowMax(x: usize, n: i32): f32 {
  let a = f32x4.splat(-Infinity);
  let b = a;
  for (; n >= 8; n -= 8) {
    a = f32x4.pmax(a, v128.load(x));
    b = f32x4.pmax(b, v128.load(x, 16));
    x += 32;
  }
  for (; n > 0; n -= 4) {
    a = choose(f32x4.pmax(a, v128.load(x)), a, firstLanes(n));
    x += 16;
  }
  return maxLanes(f32x4.pmax(a, b));
}

export function rowSum(x: usize, n: i32): f32 {
  const zero = f32x4.splat(0.0);
  let a = zero;
  let b = zero;
  let c = zero;
  let d = zero;
  for (; n >= 16; n -= 16) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
    x += 64;
  }
  for (; n > 0; n -= 4) {
    a = f32x4.add(a, v128.and(v128.load(x), firstLanes(n)));
    x += 16;
  }
  return sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/** Σ (x − shift)². */
export function rowSquares(x: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  const zero = f32x4.splat(0.0);
  let a = zero;
  let b = zero;
  let c = zero;
  let d = zero;
  for (; n >= 16; n -= 16) {
    const xa = f32x4.sub(v128.load(x), s);
    const xb = f32x4.sub(v128.load(x, 16), s);
    const xc = f32x4.sub(v128.load(x, 32), s);
    const xd = f32x4.sub(v128.load(x, 48), s);
    a = madd(xa, xa, a);
    b = madd(xb, xb, b);
    c = madd(xc, xc, c);
    d = madd(xd, xd, d);
    x += 64;
  }
  for (; n > 0; n -= 4) {
    const xa = v128.and(f32x4.sub(v128.load(x), s), firstLanes(n));
    a = madd(xa, xa, a);
    x += 16;
  }
  return sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/** Σ e^(x − shift), with every term stored at `to`; no x is above `shift`. */
export function rowExp(to: usize, x: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let a = f32x4.splat(0.0);
  let b = a;
  for (; n >= 8; n -= 8) {
    const xa = expDown4(f32x4.sub(v128.load(x), s));
    const xb = expDown4(f32x4.sub(v128.load(x, 16), s));
    v128.store(to, xa);
    v128.store(to, xb, 16);
    a = f32x4.add(a, xa);
    b = f32x4.add(b, xb);
    x += 32;
    to += 32;
  }
  for (; n > 0; n -= 4) {
    const y = v128.and(expDown4(f32x4.sub(v128.load(x), s)), firstLanes(n));
    if (n >= 4) v128.store(to, y);
    else storeLanes(to, y, n);
    a = f32x4.add(a, y);
    x += 16;
    to += 16;
  }
  return sumLanes(f32x4.add(a, b));
}

/** Σ e^(x − shift) alone. */
export function rowExpSum(x: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let a = f32x4.splat(0.0);
  let b = a;
  for (; n >= 8; n -= 8) {
    a = f32x4.add(a, expDown4(f32x4.sub(v128.load(x), s)));
    b = f32x4.add(b, expDown4(f32x4.sub(v128.load(x, 16), s)));
    x += 32;
  }
  for (; n > 0; n -= 4) {
    a = f32x4.add(a, v128.and(expDown4(f32x4.sub(v128.load(x), s)), firstLanes(n)));
    x += 16;
  }
  return sumLanes(f32x4.add(a, b));
}

/** Σ (x − shift). */
export function rowDifferences(x: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let a = f32x4.splat(0.0);
  for (; n > 0; n -= 4) {
    a = f32x4.add(a, v128.and(f32x4.sub(v128.load(x), s), firstLanes(n)));
    x += 16;
  }
  return sumLanes(a);
}

/** to = (x · factor − less) · by. */
export function rowSlope(to: usize, x: usize, n: i32, factor: f32, less: f32, by: f32): void {
  const f = f32x4.splat(factor);
  const l = f32x4.splat(less);
  const b = f32x4.splat(by);
  for (; n > 0; n -= 4) {
    const y = f32x4.mul(f32x4.sub(f32x4.mul(v128.load(x), f), l), b);
    if (n >= 4) v128.store(to, y);
    else storeLanes(to, y, n);
    x += 16;
    to += 16;
  }
}

/** to = x · factor. */
export function rowScale(to: usize, x: usize, n: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (; n >= 4; n -= 4) {
    v128.store(to, f32x4.mul(v128.load(x), f));
    x += 16;
    to += 16;
  }
  if (n > 0) storeLanes(to, f32x4.mul(v128.load(x), f), n);
}

/** to = (x − shift) − less: subtracted one after the other, as the definition does. */
export function rowShift(to: usize, x: usize, n: i32, shift: f32, less: f32): void {
  const s = f32x4.splat(shift);
  const l = f32x4.splat(less);
  for (; n >= 4; n -= 4) {
    v128.store(to, f32x4.sub(f32x4.sub(v128.load(x), s), l));
    x += 16;
    to += 16;
  }
  if (n > 0) storeLanes(to, f32x4.sub(f32x4.sub(v128.load(x), s), l), n);
}
