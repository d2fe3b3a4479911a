// argmax over rows: the largest value first, then the first place that holds it.
import { beginExpression, evaluate } from './expression';
import {
  columnsWord,
  contiguousRow,
  expressionWord,
  outWord,
  rowMax,
  rowsWord,
  scratchBytesWord,
  scratchWord,
} from './rows';
import { i32At, pointerAt, shareStart } from './words';

/** The first index of `value`; 0 when there is none. */
function find(x: usize, n: i32, value: f32): i32 {
  const wanted = f32x4.splat(value);
  let at = 0;
  for (; at + 4 <= n; at += 4) {
    const hits = i32x4.bitmask(f32x4.eq(v128.load(x + ((<usize>at) << 2)), wanted));
    if (hits) return at + ctz(hits);
  }
  for (; at < n; at++) if (load<f32>(x + ((<usize>at) << 2)) == value) return at;
  return 0;
}

export function argmax(params: usize, thread: i32, threads: i32): void {
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const rows = i32At(params, rowsWord);
  const columns = i32At(params, columnsWord);
  const out = pointerAt(params, outWord);
  const from = shareStart(rows, thread, threads);
  const end = shareStart(rows, thread + 1, threads);
  for (let row = from; row < end; row++) {
    const x = contiguousRow(params, scratch, row);
    store<i32>(out + ((<usize>row) << 2), find(x, columns, rowMax(x, columns)));
  }
  const expression = pointerAt(params, expressionWord);
  if (!expression) return;
  beginExpression(expression, scratch);
  evaluate(expression, scratch, from, end - from);
}
