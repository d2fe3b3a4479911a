// matmul with weights in blocks of 32 whole numbers that share a scale. The rows of a are turned into blocks of whole numbers as
// well, of 16 bits, so that a block's sum of products is exact and runs at two products a lane; then it is scaled and added in f32,
// over the blocks in order. An element of a is off by at most 2⁻¹⁶ of the largest of its block, which is far less than the
// weights lost when they were stored. Sums depend neither on the number of rows nor on that of threads.
import { beginExpression } from './expression';
import { finish } from './matmul';
import { packRows } from './pack';
import { maxLanes, sumIntegers } from './simd';
import { tileQ4, tileQ8 } from '../wasm/tiles';
import { i32At, pointerAt, shareStart } from './words';

/** Rows of a that are made ready at once. */
const blockRows: i32 = 48;
/** Scale, what the sums start from, 32 numbers. */
const recordBytes: i32 = 72;

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
  const panelBytes = <usize>(blocks * (form == 3 ? 272 : 144));
  const b = pointerAt(params, bWord) + <usize>fromPanel * panelBytes;
  const numbers = scratch + pointerAt(params, scratchBlocksWord);
  const numbersRow = <usize>(blocks * recordBytes);
  for (let row = 0; row < rows; row += blockRows) {
    const end = min(row + blockRows, rows);
    for (let i = row; i < end; i++) {
      let from = a + i * aRow;
      if (aColumn != 4) {
        const contiguous = scratch + pointerAt(params, scratchRowWord);
        packRows(contiguous, from, aRow, aColumn, 1, depth);
        from = contiguous;
      }
      quantizeRow(numbers + <usize>(i - row) * numbersRow, from, blocks);
    }
    const to = out + <usize>row * outRow + ((<usize>fromColumn) << 2);
    const edge = scratch + pointerAt(params, scratchEdgeWord);
    multiplyBlocks(
      form,
      numbers,
      numbersRow,
      b,
      panelBytes,
      to,
      outRow,
      end - row,
      toColumn - fromColumn,
      blocks,
      edge,
      pointerAt(params, tailWord),
    );
    if (expression) finish(expression, scratch, row, end, columns, fromColumn, toColumn);
  }
}

/** A row as records of 32 numbers q with x ≈ scale · q, |q| < 2¹⁵, and −8 · Σq, where sums over q4's numbers 0 … 15 start. */
function quantizeRow(to: usize, from: usize, blocks: i32): void {
  for (; blocks > 0; blocks--) {
    let most = f32x4.abs(v128.load(from));
    for (let i: usize = 16; i < 128; i += 16) most = f32x4.max(most, f32x4.abs(v128.load(from + i)));
    const largest = maxLanes(most);
    const inverse = f32x4.splat(largest > 0 ? 32767 / largest : 0);
    let total = i32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 32) {
      const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from + i), inverse)));
      const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from + i, 16), inverse)));
      total = i32x4.add(total, i32x4.add(low, high));
      v128.store(to + (i >> 1), i16x8.narrow_i32x4_s(low, high), 8);
    }
    store<f32>(to, largest / 32767);
    store<i32>(to, -8 * sumIntegers(total), 4);
    from += 128;
    to += recordBytes;
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
): void {
  const tiles = (rows + 5) / 6;
  for (let column = 0; column < columns; column += 8) {
    const width = columns - column;
    let row = 0;
    for (let i = 1; i <= tiles; i++) {
      const end = (rows * i) / tiles;
      const from = a + row * aRow;
      const to = out + row * outRow + ((<usize>column) << 2);
      if (width >= 8) blockTile(form, end - row, from, aRow, b, to, outRow, blocks);
      else {
        blockTile(form, end - row, from, aRow, tail ? tail : b, edge, 32, blocks);
        for (let r = 0; r < end - row; r++)
          for (let c = 0; c < width; c++) store<f32>(to + r * outRow + (c << 2), load<f32>(edge + (r << 5) + (c << 2)));
      }
      row = end;
    }
    b += bPanel;
  }
}

function blockTile(form: i32, rows: i32, a: usize, aRow: usize, b: usize, c: usize, cRow: usize, blocks: i32): void {
  if (form == 3) tileQ8(rows, a, aRow, b, c, cRow, blocks);
  else tileQ4(rows, a, aRow, b, c, cRow, blocks);
}
