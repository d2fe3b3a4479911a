// reduce: sum, max, min or product over trailing axes. Each output is reduced by one thread, in an order that depends on the
// shape only. Three ways: along contiguous memory with four vectors of partial results; down the rows for four contiguous outputs
// at once, when it is the outputs that lie next to each other; and one element after the other for anything else.
import { beginExpression, evaluate } from './expression';
import { rowOffset } from './views';
import { i32At, pointerAt, shareStart } from './words';

const fnWord = 0; // 0 sum, 1 max, 2 min, 3 prod; + 4 for i32
const outputsWord = 1;
const outerRankWord = 2;
const outerShapeWord = 3;
const outerStridesWord = 4;
const innerRowsWord = 5; // the reduced axes after merging, as innerRows × inner
const innerWord = 6;
const innerAxesWord = 7; // axes that innerRows counts
const innerShapeWord = 8;
const innerStridesWord = 9;
const fromWord = 10;
const outWord = 11;
const expressionWord = 12;
const scratchWord = 13;
const scratchBytesWord = 14;
const partialElements: i32 = 256; // long sums down the rows are kept in parts of this many

function combine(fn: i32, a: v128, b: v128): v128 {
  switch (fn) {
    case 0:
      return f32x4.add(a, b);
    case 1:
      return f32x4.pmax(a, b);
    case 2:
      return f32x4.pmin(a, b);
    case 3:
      return f32x4.mul(a, b);
    case 4:
      return i32x4.add(a, b);
    case 5:
      return i32x4.max_s(a, b);
    case 6:
      return i32x4.min_s(a, b);
    default:
      return i32x4.mul(a, b);
  }
}

function neutral(fn: i32): v128 {
  switch (fn) {
    case 0:
    case 4:
      return i32x4.splat(0);
    case 1:
      return f32x4.splat(-Infinity);
    case 2:
      return f32x4.splat(Infinity);
    case 3:
      return f32x4.splat(1.0);
    case 5:
      return i32x4.splat(i32.MIN_VALUE);
    case 6:
      return i32x4.splat(i32.MAX_VALUE);
    default:
      return i32x4.splat(1);
  }
}

function combineLanes(fn: i32, x: v128): i32 {
  const pairs = combine(fn, x, i64x2.shuffle(x, x, 1, 0));
  return i32x4.extract_lane(
    combine(fn, pairs, i8x16.shuffle(pairs, pairs, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)),
    0,
  );
}

export function reduce(params: usize, thread: i32, threads: i32): void {
  const outputs = i32At(params, outputsWord);
  const outerRank = i32At(params, outerRankWord);
  const outerShape = pointerAt(params, outerShapeWord);
  const outerStrides = pointerAt(params, outerStridesWord);
  const innerStrides = pointerAt(params, innerStridesWord);
  const base = pointerAt(params, fromWord);
  const out = pointerAt(params, outWord);
  const fn = i32At(params, fnWord);
  const from = shareStart(outputs, thread, threads);
  const end = shareStart(outputs, thread + 1, threads);
  const stride = load<i32>(innerStrides + ((<usize>i32At(params, innerAxesWord)) << 2));
  const lastOuter = (<usize>(outerRank - 1)) << 2;
  let i = from;
  if (outerRank > 0 && stride != 4 && load<i32>(outerStrides + lastOuter) == 4) {
    const width = load<i32>(outerShape + lastOuter);
    while (i < end) {
      const row = i / width;
      const column = i - row * width;
      const at = base + rowOffset(row, outerRank - 1, outerShape, outerStrides) + ((<usize>column) << 2);
      const run = min(width - column, end - i);
      let done = 0;
      for (; done + 4 <= run; done += 4)
        v128.store(out + ((<usize>(i + done)) << 2), down(params, fn, at + ((<usize>done) << 2)));
      for (; done < run; done++)
        store<i32>(
          out + ((<usize>(i + done)) << 2),
          i32x4.extract_lane(downOne(params, fn, at + ((<usize>done) << 2)), 0),
        );
      i += run;
    }
  } else {
    for (; i < end; i++) {
      const at = base + rowOffset(i, outerRank, outerShape, outerStrides);
      const result =
        stride == 4 ? combineLanes(fn, along(params, fn, at)) : i32x4.extract_lane(downOne(params, fn, at), 0);
      store<i32>(out + ((<usize>i) << 2), result);
    }
  }
  const expression = pointerAt(params, expressionWord);
  if (expression) {
    const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
    beginExpression(expression, scratch);
    evaluate(expression, scratch, from, end - from);
  }
}

/** One output from contiguous rows. */
function along(params: usize, fn: i32, base: usize): v128 {
  const rows = i32At(params, innerRowsWord);
  const inner = i32At(params, innerWord);
  const axes = i32At(params, innerAxesWord);
  const zero = neutral(fn);
  let a = zero;
  let b = zero;
  let c = zero;
  let d = zero;
  for (let row = 0; row < rows; row++) {
    let at = base + rowOffset(row, axes, pointerAt(params, innerShapeWord), pointerAt(params, innerStridesWord));
    let n = inner;
    for (; n >= 16; n -= 16) {
      a = combine(fn, a, v128.load(at));
      b = combine(fn, b, v128.load(at, 16));
      c = combine(fn, c, v128.load(at, 32));
      d = combine(fn, d, v128.load(at, 48));
      at += 64;
    }
    for (; n >= 4; n -= 4) {
      a = combine(fn, a, v128.load(at));
      at += 16;
    }
    for (; n > 0; n--) {
      b = combine(fn, b, i32x4.replace_lane(zero, 0, load<i32>(at)));
      at += 4;
    }
  }
  return combine(fn, combine(fn, a, b), combine(fn, c, d));
}

/** Four neighbouring outputs, element after element. */
function down(params: usize, fn: i32, base: usize): v128 {
  const rows = i32At(params, innerRowsWord);
  const inner = i32At(params, innerWord);
  const axes = i32At(params, innerAxesWord);
  const strides = pointerAt(params, innerStridesWord);
  const stride = load<i32>(strides + ((<usize>axes) << 2));
  const zero = neutral(fn);
  let total = zero;
  let part = zero;
  let left = partialElements;
  for (let row = 0; row < rows; row++) {
    let at = base + rowOffset(row, axes, pointerAt(params, innerShapeWord), strides);
    for (let n = inner; n > 0; n--) {
      part = combine(fn, part, v128.load(at));
      at += stride;
      if (--left == 0) {
        total = combine(fn, total, part);
        part = zero;
        left = partialElements;
      }
    }
  }
  return combine(fn, total, part);
}

/** The same for one output, with the same roundings. */
function downOne(params: usize, fn: i32, base: usize): v128 {
  const rows = i32At(params, innerRowsWord);
  const inner = i32At(params, innerWord);
  const axes = i32At(params, innerAxesWord);
  const strides = pointerAt(params, innerStridesWord);
  const stride = load<i32>(strides + ((<usize>axes) << 2));
  const zero = neutral(fn);
  let total = zero;
  let part = zero;
  let left = partialElements;
  for (let row = 0; row < rows; row++) {
    let at = base + rowOffset(row, axes, pointerAt(params, innerShapeWord), strides);
    for (let n = inner; n > 0; n--) {
      part = combine(fn, part, v128.load32_splat(at));
      at += stride;
      if (--left == 0) {
        total = combine(fn, total, part);
        part = zero;
        left = partialElements;
      }
    }
  }
  return combine(fn, total, part);
}
