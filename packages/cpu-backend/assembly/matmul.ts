// matmul: [batch][M, K] × [batch][K, N]. b lies in panels (pack.ts), packed at load for parameters and here otherwise, by the
// thread that needs it. Blocks: 256 columns × 96 rows × 512 of depth; inside, panels stay in L1 while tiles of rows pass by.
// Every sum runs over K in order, whatever the tile, so bits depend neither on M nor on the number of threads.
import { beginExpression, evaluate } from './expression';
import { tile, tileBF16, tileF16 } from '../wasm/tiles';
import { packColumns, packHalves, packQ4, packQ8, packRows } from './pack';
import { expandHalves } from './stored';
import { i32At, pointerAt, shareStart } from './words';

const blockColumns: i32 = 256;
const blockRows: i32 = 96;
const blockDepth: i32 = 512;
const edgeBytes: usize = 192; // 6 × 8 sums

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
    const panels = (columns + 7) >> 3;
    fromColumn = shareStart(panels, thread, threads) << 3;
    toColumn = min(columns, shareStart(panels, thread + 1, threads) << 3);
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
  const a = <usize>load<u32>(pointerAt(params, aTableWord) + ((<usize>batch) << 2));
  let b = <usize>load<u32>(pointerAt(params, bTableWord) + ((<usize>batch) << 2));
  const tail = <usize>load<u32>(pointerAt(params, tailTableWord) + ((<usize>batch) << 2));
  const firstRow = batch * i32At(params, rowsWord);
  const out = pointerAt(params, outWord);
  const outRow = (<usize>columns) << 2;
  const edge = scratch + pointerAt(params, scratchEdgeWord);
  const expression = pointerAt(params, expressionWord);
  const form = i32At(params, formWord);
  const shift: usize = form == 0 ? 2 : 1; // of an element in a panel
  if (i32At(params, packedWord)) b += (<usize>(fromColumn * depth)) << shift;
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
      block(
        from,
        fromRowBytes,
        b + ((<usize>k) << (3 + shift)),
        (<usize>depth) << (3 + shift),
        to,
        outRow,
        blockEnd - row,
        toColumn - fromColumn,
        steps,
        k == 0,
        edge,
        form,
        tail ? tail + ((<usize>k) << (3 + shift)) : 0,
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
export function block(
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
): void {
  const tiles = (rows + 5) / 6;
  // From three tiles on it pays to widen a panel once, beside the output's edge.
  const widened = form != 0 && tiles > 2;
  // Low tiles take several panels at once: a sum waits for itself, so there have to be enough of them.
  const most = rows == 1 ? 4 : rows == 2 ? 3 : 1;
  let column = 0;
  while (column < columns) {
    let panels = min(most, (columns - column) >> 3);
    if (panels == 3 && rows == 1) panels = 2;
    const width = panels > 0 ? panels << 3 : columns - column;
    let panel = panels == 0 && tail ? tail : b;
    if (widened) {
      expandHalves(edge + edgeBytes, form, panel, depth << 3);
      panel = edge + edgeBytes;
    }
    const panelForm = widened ? 0 : form;
    let row = 0;
    for (let i = 1; i <= tiles; i++) {
      const end = (rows * i) / tiles;
      const from = a + row * aRow;
      const to = out + row * outRow + ((<usize>column) << 2);
      if (panels > 0) formTile(panelForm, end - row, panels, from, aRow, panel, bPanel, to, outRow, depth, first);
      else edgeTile(panelForm, end - row, width, from, aRow, panel, to, outRow, depth, first, edge);
      row = end;
    }
    column += width;
    b += panels * bPanel;
  }
}

/** The micro-kernel for a form of weights. */
function formTile(
  form: i32,
  rows: i32,
  panels: i32,
  a: usize,
  aRow: usize,
  b: usize,
  bPanel: usize,
  c: usize,
  cRow: usize,
  depth: i32,
  first: bool,
): void {
  if (form == 0) tile(rows, panels, a, aRow, b, bPanel, c, cRow, depth, first);
  else if (form == 1) tileF16(rows, panels, a, aRow, b, bPanel, c, cRow, depth, first);
  else tileBF16(rows, panels, a, aRow, b, bPanel, c, cRow, depth, first);
}

/** A tile of fewer than eight columns: computed beside the output, then the columns that exist are copied. */
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
  if (!first) {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < width; j++) store<f32>(edge + (i << 5) + (j << 2), load<f32>(c + i * cRow + (j << 2)));
  }
  formTile(form, rows, 1, a, aRow, b, 0, edge, 32, depth, first);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < width; j++) store<f32>(c + i * cRow + (j << 2), load<f32>(edge + (i << 5) + (j << 2)));
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
 * for one thread's panels. With scratch, `to` may be `from`: then every eight columns take the place of their panel.
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
  const panels = (columns + 7) >> 3;
  const end = shareStart(panels, thread + 1, threads);
  const scratch = pointerAt(params, 7) ? pointerAt(params, 7) + thread * pointerAt(params, 8) : 0;
  for (let panel = shareStart(panels, thread, threads); panel < end; panel++) {
    let source = from + (panel << 3) * columnStride;
    if (scratch) {
      memory.copy(scratch, source, panelBytes);
      source = scratch;
    }
    const width = min(8, columns - (panel << 3));
    packForm(form, to + <usize>panel * panelBytes, source, rowStride, columnStride, depth, width);
  }
}
