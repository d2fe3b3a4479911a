// matmul: [batch][M, K] × [batch][K, N]. b lies in panels (pack.ts), packed at load for parameters and here otherwise, by the
// thread that needs it. Blocks: 256 columns × 96 rows × 2048 of depth; inside, tiles of rows pass by one panel after another, each
// from end to end: so memory is one stream, which processors fetch ahead of. One row or two take all of the depth at once.
// Every sum runs over K in order, whatever the tile, so bits depend neither on M nor on the number of threads.
import { beginExpression, evaluate } from './expression';
import { tile, tileBF16, tileF16 } from '../wasm/tiles';
import { packColumns, packHalves, packQ4, packQ8, packRows } from './pack';
import { expandHalves } from './stored';
import { copyElements } from './views';
import { i32At, pointerAt, shareStart } from './words';

const blockColumns: i32 = 256;
const blockRows: i32 = 96;
const edgeBytes: usize = 384; // 6 × 16 sums

const batchWord = 0;
const rowsWord = 1;
const columnsWord = 2;
const depthWord = 3;
const aTableWord = 4; // address of a, for each of the batch
const bTableWord = 5; // address of b (panels, or the tensor itself)
const outWord = 6;
const aRowWord = 7;
const aColumnWord = 8;
const bRowWord = 9;
const bColumnWord = 10;
const packedWord = 11;
const splitWord = 12; // what threads share out: 0 batch, 1 columns, 2 rows
const expressionWord = 13; // the epilogue, or 0
const scratchWord = 14;
const scratchBytesWord = 15;
const scratchEdgeWord = 16; // offsets in scratch
const scratchAWord = 17;
const scratchBWord = 18;
const formWord = 19; // of packed weights: 0 f32, 1 f16, 2 bf16
const tailTableWord = 20; // address of the last panel where that lies elsewhere, or 0, for each of the batch
const pairWord = 21; // may one row take two panels at once?
const blockDepthWord = 22;

export function matmul(params: usize, thread: i32, threads: i32): void {
  const split = i32At(params, splitWord);
  const batch = i32At(params, batchWord);
  const rows = i32At(params, rowsWord);
  const columns = i32At(params, columnsWord);
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const expression = pointerAt(params, expressionWord);
  if (expression) beginExpression(expression, scratch);

  let fromBatch = 0;
  let toBatch = batch;
  let fromRow = 0;
  let toRow = rows;
  let fromColumn = 0;
  let toColumn = columns;
  if (split == 0) {
    fromBatch = shareStart(batch, thread, threads);
    toBatch = shareStart(batch, thread + 1, threads);
  } else if (split == 1) {
    const panels = (columns + 15) >> 4;
    fromColumn = shareStart(panels, thread, threads) << 4;
    toColumn = min(columns, shareStart(panels, thread + 1, threads) << 4);
  } else {
    fromRow = shareStart(rows, thread, threads);
    toRow = shareStart(rows, thread + 1, threads);
  }

  for (let i = fromBatch; i < toBatch; i++)
    for (let column = fromColumn; column < toColumn; column += blockColumns)
      multiply(params, scratch, i, fromRow, toRow, column, min(column + blockColumns, toColumn));
}

/** All of the sums for some rows and at most 256 columns. */
function multiply(
  params: usize,
  scratch: usize,
  batch: i32,
  fromRow: i32,
  toRow: i32,
  fromColumn: i32,
  toColumn: i32,
): void {
  const depth = i32At(params, depthWord);
  const columns = i32At(params, columnsWord);
  const aRow = i32At(params, aRowWord);
  const aColumn = i32At(params, aColumnWord);
  const a = pointerAt(pointerAt(params, aTableWord), batch);
  let b = pointerAt(pointerAt(params, bTableWord), batch);
  const tail = pointerAt(pointerAt(params, tailTableWord), batch);
  const firstRow = batch * i32At(params, rowsWord);
  const out = pointerAt(params, outWord);
  const outRow = (<usize>columns) << 2;
  const edge = scratch + pointerAt(params, scratchEdgeWord);
  const expression = pointerAt(params, expressionWord);
  const form = i32At(params, formWord);
  const shift: usize = form == 0 ? 6 : 5; // of the bytes of a panel's row
  const blockDepth = i32At(params, blockDepthWord);
  if (i32At(params, packedWord)) b += (<usize>(<usize>(fromColumn >> 4) * depth)) << shift;
  else {
    const panels = scratch + pointerAt(params, scratchBWord);
    const bColumn = i32At(params, bColumnWord);
    packColumns(panels, b + fromColumn * bColumn, i32At(params, bRowWord), bColumn, depth, toColumn - fromColumn);
    b = panels;
  }
  for (let row = fromRow; row < toRow; row += blockRows) {
    const blockEnd = min(row + blockRows, toRow);
    let k = 0;
    do {
      const steps = min(blockDepth, depth - k);
      let from = a + row * aRow + k * aColumn;
      let fromRowBytes = <usize>aRow;
      if (aColumn != 4) {
        const packed = scratch + pointerAt(params, scratchAWord);
        packRows(packed, from, aRow, aColumn, blockEnd - row, steps);
        from = packed;
        fromRowBytes = (<usize>steps) << 2;
      }
      const to = out + <usize>(firstRow + row) * outRow + ((<usize>fromColumn) << 2);
      const skipped = (<usize>k) << shift;
      block(
        from,
        fromRowBytes,
        b + skipped,
        (<usize>depth) << shift,
        to,
        outRow,
        blockEnd - row,
        toColumn - fromColumn,
        steps,
        k == 0,
        edge,
        form,
        tail ? tail + skipped : 0,
        i32At(params, pairWord) != 0,
      );
      k += steps;
    } while (k < depth);
    if (expression) finish(expression, scratch, firstRow + row, firstRow + blockEnd, columns, fromColumn, toColumn);
  }
}

export function finish(
  e: usize,
  scratch: usize,
  row: i32,
  end: i32,
  columns: i32,
  fromColumn: i32,
  toColumn: i32,
): void {
  if (toColumn - fromColumn == columns) evaluate(e, scratch, row * columns, (end - row) * columns);
  else for (; row < end; row++) evaluate(e, scratch, row * columns + fromColumn, toColumn - fromColumn);
}

/** Panel after panel, tiles of rows of nearly equal height: no tile is much lower than the others. */
function block(
  a: usize,
  aRow: usize,
  b: usize,
  bPanel: usize,
  out: usize,
  outRow: usize,
  rows: i32,
  columns: i32,
  depth: i32,
  first: bool,
  edge: usize,
  form: i32,
  tail: usize,
  pair: bool,
): void {
  const tiles = (rows + 5) / 6;
  // From three tiles on it pays to widen a panel once, beside the output's edge.
  const widened = form != 0 && tiles > 2;
  const panelForm = widened ? 0 : form;
  const halfBytes: usize = panelForm == 0 ? 32 : 16;
  for (; columns > 0; columns -= 16) {
    const two = pair && rows == 1 && columns >= 32;
    let panel = columns < 16 && tail ? tail : b;
    if (widened) {
      expandHalves(edge + edgeBytes, form, panel, depth << 4);
      panel = edge + edgeBytes;
    }
    // One row or two take a panel or two at once: a sum waits for itself, so there have to be enough of them.
    const width = two ? 32 : rows < 3 ? 16 : 8;
    for (let column = 0; column < min(columns, 16); column += width) {
      let row = 0;
      for (let i = 1; i <= tiles; i++) {
        const end = (rows * i) / tiles;
        const from = a + row * aRow;
        const to = out + row * outRow + ((<usize>column) << 2);
        if (columns - column >= width)
          formTile(panelForm, end - row, two, from, aRow, panel, bPanel, to, outRow, depth, first);
        else edgeTile(panelForm, end - row, columns - column, from, aRow, panel, to, outRow, depth, first, edge);
        row = end;
      }
      panel += halfBytes;
    }
    b += bPanel;
    out += 64;
    if (two) {
      b += bPanel;
      out += 64;
      columns -= 16;
    }
  }
}

/** The micro-kernel for a form of weights. */
function formTile(
  form: i32,
  rows: i32,
  two: bool,
  a: usize,
  aRow: usize,
  b: usize,
  bPanel: usize,
  c: usize,
  cRow: usize,
  depth: i32,
  first: bool,
): void {
  if (form == 0) tile(rows, two, a, aRow, b, bPanel, c, cRow, depth, first);
  else if (form == 1) tileF16(rows, two, a, aRow, b, bPanel, c, cRow, depth, first);
  else tileBF16(rows, two, a, aRow, b, bPanel, c, cRow, depth, first);
}

/** A tile with columns that do not exist: computed beside the output, then the columns that exist are copied. */
function edgeTile(
  form: i32,
  rows: i32,
  width: i32,
  a: usize,
  aRow: usize,
  b: usize,
  c: usize,
  cRow: usize,
  depth: i32,
  first: bool,
  edge: usize,
): void {
  if (!first) for (let i = 0; i < rows; i++) copyElements(edge + (i << 6), 4, c + i * cRow, 4, width);
  formTile(form, rows, false, a, aRow, b, 0, edge, 64, depth, first);
  for (let i = 0; i < rows; i++) copyElements(c + i * cRow, 4, edge + (i << 6), 4, width);
}

/** Pack some columns: {form, depth} decide how. */
function packForm(
  form: i32,
  to: usize,
  from: usize,
  rowStride: i32,
  columnStride: i32,
  depth: i32,
  columns: i32,
): void {
  if (form == 0) packColumns(to, from, rowStride, columnStride, depth, columns);
  else if (form < 3) packHalves(to, from, rowStride, columnStride, depth, columns);
  else if (form == 3) packQ8(to, from, columnStride, depth >> 5, columns);
  else packQ4(to, from, columnStride, depth >> 5, columns);
}

/**
 * Pack a whole parameter: {to, from, row stride, column stride, depth, columns, form, scratch, its size for a thread, bytes of a panel},
 * for one thread's panels. With scratch, `to` may be `from`: then the columns of every panel take its place.
 */
export function packParameter(params: usize, thread: i32, threads: i32): void {
  const to = pointerAt(params, 0);
  const from = pointerAt(params, 1);
  const rowStride = i32At(params, 2);
  const columnStride = i32At(params, 3);
  const depth = i32At(params, 4);
  const columns = i32At(params, 5);
  const form = i32At(params, 6);
  const panelBytes = pointerAt(params, 9);
  const width = form < 3 ? 16 : 8;
  const panels = (columns + width - 1) / width;
  const end = shareStart(panels, thread + 1, threads);
  const scratch = pointerAt(params, 7) ? pointerAt(params, 7) + thread * pointerAt(params, 8) : 0;
  for (let panel = shareStart(panels, thread, threads); panel < end; panel++) {
    let source = from + panel * width * columnStride;
    if (scratch) {
      memory.copy(scratch, source, panelBytes);
      source = scratch;
    }
    const count = min(width, columns - panel * width);
    packForm(form, to + <usize>panel * panelBytes, source, rowStride, columnStride, depth, count);
  }
}
