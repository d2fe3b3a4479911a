// crossEntropy and its gradient over rows of logits: nothing of the size of the logits is kept beside them and the gradient. A label
// outside of the columns leaves its row out.
import { beginExpression, evaluate } from './expression';
import { log4 } from './math';
import {
  besideRow,
  columnsWord,
  contiguousRow,
  expressionWord,
  outWord,
  ownWord,
  rowDifferences,
  rowExp,
  rowExpSum,
  rowMax,
  rowSlope,
  rowsWord,
  scratchBytesWord,
  scratchWord,
} from './rows';
import { f32At, i32At, pointerAt, shareStart } from './words';

const smoothingWord = ownWord;
const labelsWord = ownWord + 1; // address, address of the strides
const gradientWord = ownWord + 3; // the same, or 0 for the loss

export function crossEntropy(params: usize, thread: i32, threads: i32): void {
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const rows = i32At(params, rowsWord);
  const columns = i32At(params, columnsWord);
  const smoothing = f32At(params, smoothingWord);
  const labels = pointerAt(params, labelsWord);
  const labelStrides = pointerAt(params, labelsWord + 1);
  const gradient = pointerAt(params, gradientWord);
  const out = pointerAt(params, outWord);
  const expression = pointerAt(params, expressionWord);
  if (expression) beginExpression(expression, scratch);
  const width = gradient ? columns : 1;
  const end = shareStart(rows, thread + 1, threads);
  for (let row = shareStart(rows, thread, threads); row < end; row++) {
    const x = contiguousRow(params, scratch, row);
    const to = out + ((<usize>(row * width)) << 2);
    const label = load<u32>(besideRow(params, labels, labelStrides, row));
    if (label >= <u32>columns) memory.fill(to, 0, (<usize>width) << 2);
    else if (gradient) {
      const by = load<f32>(besideRow(params, gradient, pointerAt(params, gradientWord + 1), row));
      slope(to, x, columns, (<usize>label) << 2, smoothing, by);
    } else store<f32>(to, loss(x, columns, (<usize>label) << 2, smoothing));
    if (expression) evaluate(expression, scratch, row * width, width);
  }
}

/** log Σ e^(x − max) − what the target has of x − max. */
function loss(x: usize, columns: i32, label: usize, smoothing: f32): f32 {
  const largest = rowMax(x, columns);
  const sum = f32x4.extract_lane(log4(f32x4.splat(rowExpSum(x, columns, largest))), 0);
  let chosen = load<f32>(x + label) - largest;
  if (smoothing > 0)
    chosen = chosen * (1 - smoothing) + (rowDifferences(x, columns, largest) / <f32>columns) * smoothing;
  return sum - chosen;
}

function slope(to: usize, x: usize, columns: i32, label: usize, smoothing: f32, by: f32): void {
  const elsewhere = smoothing / <f32>columns;
  const factor: f32 = 1 / rowExp(to, x, columns, rowMax(x, columns));
  const chosen = load<f32>(to + label) * factor - (1 - smoothing + elsewhere);
  rowSlope(to, to, columns, factor, elsewhere, by);
  store<f32>(to + label, chosen * by);
}
