// layerNorm and rmsNorm over rows.
import { beginExpression, evaluate } from './expression';
import {
  columnsWord,
  contiguousRow,
  expressionWord,
  outWord,
  ownWord,
  rowSquares,
  rowsWord,
  rowSum,
  scratchBytesWord,
  scratchWord,
} from './rows';
import { madd, storeLanes } from './simd';
import { f32At, i32At, pointerAt, shareStart } from './words';

const epsWord = ownWord;
const weightWord = ownWord + 1;
const biasWord = ownWord + 2; // 0 for rmsNorm

/** ((x − mean) · scale) · weight (+ bias). */
function normalise(to: usize, x: usize, n: i32, mean: f32, scale: f32, weight: usize, bias: usize): void {
  const m = f32x4.splat(mean);
  const s = f32x4.splat(scale);
  for (; n > 0; n -= 4) {
    let y = f32x4.mul(f32x4.sub(v128.load(x), m), s);
    if (bias) {
      y = madd(y, v128.load(weight), v128.load(bias));
      bias += 16;
    } else y = f32x4.mul(y, v128.load(weight));
    if (n >= 4) v128.store(to, y);
    else storeLanes(to, y, n);
    weight += 16;
    x += 16;
    to += 16;
  }
}

export function norm(params: usize, thread: i32, threads: i32): void {
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const rows = i32At(params, rowsWord);
  const columns = i32At(params, columnsWord);
  const eps = f32At(params, epsWord);
  const weight = pointerAt(params, weightWord);
  const bias = pointerAt(params, biasWord);
  const expression = pointerAt(params, expressionWord);
  if (expression) beginExpression(expression, scratch);
  const end = shareStart(rows, thread + 1, threads);
  for (let row = shareStart(rows, thread, threads); row < end; row++) {
    const x = contiguousRow(params, scratch, row);
    const mean: f32 = bias ? rowSum(x, columns) / <f32>columns : 0;
    const scale: f32 = 1 / sqrt<f32>(rowSquares(x, columns, mean) / <f32>columns + eps);
    normalise(pointerAt(params, outWord) + ((<usize>(row * columns)) << 2), x, columns, mean, scale, weight, bias);
    if (expression) evaluate(expression, scratch, row * columns, columns);
  }
}
