// matmul with weights in blocks of 32 whole numbers that share a scale. The rows of a are turned into blocks of whole numbers as
// well, of 16 bits, so that a block's sum of products is exact and runs at two products a lane; then it is scaled and added in f32,
// over the blocks in order. An element of a is off by at most 2⁻¹⁶ of the largest of its block, which is far less than the
// weights lost when they were stored. Sums depend neither on the number of rows nor on that of threads.
import { beginExpression } from './expression';
import { finish } from './matmul';
import { packRows, widenQ4 } from './pack';
import { maxLanes, sumIntegers } from './simd';
import { tileQ4, tileQ8 } from '../wasm/tiles';
import { copyElements } from './views';
import { i32At, pointerAt, shareStart } from './words';

/** Rows of a that are made ready at once, at most, and of a tile. */
const blockRows: i32 = 60;
const tileRows: i32 = 5;
/** Scale, what the sums start from, 32 numbers. */
const recordBytes: i32 = 72;
/** Bytes of a block of eight columns. */
const q8Bytes: usize = 272;
const q4Bytes: usize = 144;

const rowsWord = 0;
const columnsWord = 1;
const depthWord = 2;
const aWord = 3;
const aRowWord = 4; // strides in bytes
const aColumnWord = 5;
const bWord = 6; // panels
const outWord = 7;
const formWord = 8; // 3 q8, 4 q4
const expressionWord = 9; // the epilogue, or 0
const scratchWord = 10;
const scratchBytesWord = 11;
const scratchEdgeWord = 12; // offsets in scratch
const scratchRowWord = 13;
const scratchBlocksWord = 14;
const tailWord = 15; // the last panel where that lies elsewhere, or 0
const scratchPanelWord = 16;

export function quantizedMatmul(params: usize, thread: i32, threads: i32): void {
  const rows = i32At(params, rowsWord);
  const columns = i32At(params, columnsWord);
  const depth = i32At(params, depthWord);
  const a = pointerAt(params, aWord);
  const aRow = i32At(params, aRowWord);
  const aColumn = i32At(params, aColumnWord);
  const out = pointerAt(params, outWord);
  const outRow = (<usize>columns) << 2;
  const form = i32At(params, formWord);
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const expression = pointerAt(params, expressionWord);
  if (expression) beginExpression(expression, scratch);
  const panels = (columns + 7) >> 3;
  const fromPanel = shareStart(panels, thread, threads);
  const fromColumn = fromPanel << 3;
  const toColumn = min(columns, shareStart(panels, thread + 1, threads) << 3);
  const blocks = depth >> 5;
  const panelBytes = <usize>blocks * (form == 3 ? q8Bytes : q4Bytes);
  const b = pointerAt(params, bWord) + <usize>fromPanel * panelBytes;
  const numbers = scratch + pointerAt(params, scratchBlocksWord);
  const numbersRow = <usize>(blocks * recordBytes);
  const turns = (rows + blockRows - 1) / blockRows;
  let row = 0;
  for (let turn = 1; turn <= turns; turn++) {
    const end = (rows * turn) / turns;
    const tiles = (end - row + tileRows - 1) / tileRows;
    for (let i = 0; i < tiles; i++) {
      const first = row + ((end - row) * i) / tiles;
      const height = row + ((end - row) * (i + 1)) / tiles - first;
      const to = numbers + <usize>(first - row) * numbersRow;
      for (let r = 0; r < height; r++) {
        let from = a + (first + r) * aRow;
        if (aColumn != 4) {
          const contiguous = scratch + pointerAt(params, scratchRowWord);
          packRows(contiguous, from, aRow, aColumn, 1, depth);
          from = contiguous;
        }
        quantizeRow(to + ((<usize>r) << 2), (<usize>height) << 2, from, blocks);
      }
    }
    multiplyBlocks(
      form,
      numbers,
      numbersRow,
      b,
      panelBytes,
      out + <usize>row * outRow + ((<usize>fromColumn) << 2),
      outRow,
      end - row,
      toColumn - fromColumn,
      blocks,
      scratch + pointerAt(params, scratchEdgeWord),
      pointerAt(params, tailWord),
      scratch + pointerAt(params, scratchPanelWord),
    );
    if (expression) finish(expression, scratch, row, end, columns, fromColumn, toColumn);
    row = end;
  }
}

/**
 * A row as records of 32 numbers q with x ≈ scale · q, |q| < 2¹⁵, and −8 · Σq, where sums over q4's numbers 0 … 15 start. The rows of a
 * tile lie side by side, word by word: a record's next word is `step` further on.
 */
function quantizeRow(to: usize, step: usize, from: usize, blocks: i32): void {
  for (; blocks > 0; blocks--) {
    let most = f32x4.abs(v128.load(from));
    for (let i: usize = 16; i < 128; i += 16) most = f32x4.max(most, f32x4.abs(v128.load(from + i)));
    const largest = maxLanes(most);
    const inverse = f32x4.splat(largest > 0 ? 32767 / largest : 0);
    store<f32>(to, largest / 32767);
    const start = to + step;
    to = start + step;
    let total = i32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 32) {
      const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from + i), inverse)));
      const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from + i, 16), inverse)));
      total = i32x4.add(total, i32x4.add(low, high));
      const pairs = i16x8.narrow_i32x4_s(low, high);
      v128.store_lane<u32>(to, pairs, 0);
      v128.store_lane<u32>(to + step, pairs, 1);
      v128.store_lane<u32>(to + 2 * step, pairs, 2);
      v128.store_lane<u32>(to + 3 * step, pairs, 3);
      to += 4 * step;
    }
    store<i32>(start, -8 * sumIntegers(total));
    from += 128;
  }
}

/** Panel after panel, tiles of rows of nearly equal height. */
function multiplyBlocks(
  form: i32,
  a: usize,
  aRow: usize,
  b: usize,
  bPanel: usize,
  out: usize,
  outRow: usize,
  rows: i32,
  columns: i32,
  blocks: i32,
  edge: usize,
  tail: usize,
  widened: usize,
): void {
  const tiles = (rows + tileRows - 1) / tileRows;
  // From five tiles on it pays to make bytes of a panel's nibbles once.
  const widen = form == 4 && tiles > 4;
  for (let column = 0; column < columns; column += 8) {
    const width = columns - column;
    let panel = width < 8 && tail ? tail : b;
    if (widen) {
      widenQ4(widened, panel, blocks);
      panel = widened;
    }
    let row = 0;
    for (let i = 1; i <= tiles; i++) {
      const end = (rows * i) / tiles;
      const from = a + row * aRow;
      const to = out + row * outRow + ((<usize>column) << 2);
      const place = width < 8 ? edge : to;
      const placeRow = width < 8 ? 32 : outRow;
      if (form == 3 || widen) tileQ8(end - row, from, panel, place, placeRow, blocks);
      else tileQ4(end - row, from, panel, place, placeRow, blocks);
      if (width < 8) for (let r = 0; r < end - row; r++) copyElements(to + r * outRow, 4, edge + (r << 5), 4, width);
      row = end;
    }
    b += bPanel;
  }
}
