// scatter: rows written, or added, to rows of the output view in place. With indices, rows are taken in order by one thread,
// so that of equal indices the last one wins; rows from a start on are all different and are shared out.
import { rowOffset } from './views';
import { i32At, pointerAt, shareStart } from './words';

const countWord = 0; // rows of updates
const outRowsWord = 1;
const outWord = 2;
const outRowWord = 3; // stride
const updatesWord = 4;
const updatesRowWord = 5;
const restRowsWord = 6; // a row, after merging axes, as restRows × inner
const innerWord = 7;
const axesWord = 8; // axes that restRows counts
const shapeWord = 9;
const outStridesWord = 10;
const updatesStridesWord = 11;
const indicesWord = 12; // or 0
const indexStrideWord = 13;
const startWord = 14;
const modeWord = 15; // 0 set, 1 add f32, 2 add integers

export function scatter(params: usize, thread: i32, threads: i32): void {
  const count = i32At(params, countWord);
  const outRows = i32At(params, outRowsWord);
  const indices = pointerAt(params, indicesWord);
  const axes = i32At(params, axesWord);
  const shape = pointerAt(params, shapeWord);
  const outStrides = pointerAt(params, outStridesWord);
  const updatesStrides = pointerAt(params, updatesStridesWord);
  const last = (<usize>axes) << 2;
  const outStride = load<i32>(outStrides + last);
  const updatesStride = load<i32>(updatesStrides + last);
  const inner = i32At(params, innerWord);
  const restRows = i32At(params, restRowsWord);
  const mode = i32At(params, modeWord);
  const end = shareStart(count, thread + 1, threads);
  for (let i = shareStart(count, thread, threads); i < end; i++) {
    const row = indices
      ? load<i32>(indices + i * i32At(params, indexStrideWord))
      : load<i32>(pointerAt(params, startWord)) + i;
    if (row < 0 || row >= outRows) continue;
    const to = pointerAt(params, outWord) + row * i32At(params, outRowWord);
    const from = pointerAt(params, updatesWord) + i * i32At(params, updatesRowWord);
    for (let r = 0; r < restRows; r++)
      writeElements(
        mode,
        to + rowOffset(r, axes, shape, outStrides),
        outStride,
        from + rowOffset(r, axes, shape, updatesStrides),
        updatesStride,
        inner,
      );
  }
}

function writeElements(mode: i32, to: usize, toStride: i32, from: usize, fromStride: i32, count: i32): void {
  if (toStride == 4 && fromStride == 4) {
    for (; count >= 4; count -= 4) {
      let x = v128.load(from);
      if (mode == 1) x = f32x4.add(v128.load(to), x);
      else if (mode == 2) x = i32x4.add(v128.load(to), x);
      v128.store(to, x);
      to += 16;
      from += 16;
    }
  }
  for (; count > 0; count--) {
    if (mode == 0) store<i32>(to, load<i32>(from));
    else if (mode == 1) store<f32>(to, load<f32>(to) + load<f32>(from));
    else store<i32>(to, load<i32>(to) + load<i32>(from));
    to += toStride;
    from += fromStride;
  }
}
