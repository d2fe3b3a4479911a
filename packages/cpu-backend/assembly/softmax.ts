// softmax and logSoftmax over rows: the largest value, the exponentials and their sum, the result.
import { beginExpression, evaluate } from './expression';
import { log4 } from './math';
import {
  columnsWord,
  contiguousRow,
  expressionWord,
  outWord,
  ownWord,
  rowExp,
  rowMax,
  rowScale,
  rowShift,
  rowsWord,
  scratchBytesWord,
  scratchWord,
} from './rows';
import { i32At, pointerAt, shareStart } from './words';

export function softmax(params: usize, thread: i32, threads: i32): void {
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const rows = i32At(params, rowsWord);
  const columns = i32At(params, columnsWord);
  const logarithm = i32At(params, ownWord) != 0;
  const expression = pointerAt(params, expressionWord);
  if (expression) beginExpression(expression, scratch);
  const end = shareStart(rows, thread + 1, threads);
  for (let row = shareStart(rows, thread, threads); row < end; row++) {
    const x = contiguousRow(params, scratch, row);
    const out = pointerAt(params, outWord) + ((<usize>(row * columns)) << 2);
    const largest = rowMax(x, columns);
    const sum = rowExp(out, x, columns, largest);
    if (logarithm) rowShift(out, x, columns, largest, f32x4.extract_lane(log4(f32x4.splat(sum)), 0));
    else rowScale(out, out, columns, 1 / sum);
    if (expression) evaluate(expression, scratch, row * columns, columns);
  }
}
