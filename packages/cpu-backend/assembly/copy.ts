// copy: elements of one strided view into another of the same shape, row by row. A transposed source is read in
// squares of 4 × 4 where its other axis is contiguous.
import { copyElements, rowOffset } from './views';
import { i32At, pointerAt, shareStart } from './words';

const rankWord = 0;
const shapeWord = 1;
const fromWord = 2;
const fromStridesWord = 3;
const toWord = 4;
const toStridesWord = 5;
const rowsWord = 6; // product of all axes but the last

export function copy(params: usize, thread: i32, threads: i32): void {
  const axes = i32At(params, rankWord) - 1;
  const shape = pointerAt(params, shapeWord);
  const from = pointerAt(params, fromWord);
  const fromStrides = pointerAt(params, fromStridesWord);
  const to = pointerAt(params, toWord);
  const toStrides = pointerAt(params, toStridesWord);
  const last = (<usize>axes) << 2;
  const inner = load<i32>(shape + last);
  const fromInner = load<i32>(fromStrides + last);
  const toInner = load<i32>(toStrides + last);
  const rows = i32At(params, rowsWord);
  if (rows == 1) {
    const start = shareStart(inner, thread, threads);
    const count = shareStart(inner, thread + 1, threads) - start;
    copyElements(to + start * toInner, toInner, from + start * fromInner, fromInner, count);
    return;
  }
  const end = shareStart(rows, thread + 1, threads);
  for (let row = shareStart(rows, thread, threads); row < end; row++) {
    copyElements(
      to + rowOffset(row, axes, shape, toStrides),
      toInner,
      from + rowOffset(row, axes, shape, fromStrides),
      fromInner,
      inner,
    );
  }
}
