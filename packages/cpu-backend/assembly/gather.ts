// gather: rows of a table, by indices or from a start on. The rest of a row is a strided view of its own.
import { beginExpression, evaluate } from './expression';
import { expandRow, unpackRow } from './stored';
import { gatherElements, rowOffset } from './views';
import { i32At, pointerAt, shareStart } from './words';

const countWord = 0; // rows to gather
const tableRowsWord = 1;
const tableWord = 2;
const tableRowWord = 3; // stride
const restWord = 4; // elements of a row
const rankWord = 5; // the rest's axes after merging
const shapeWord = 6;
const stridesWord = 7;
const indicesWord = 8; // or 0
const indicesRankWord = 9;
const indicesShapeWord = 10;
const indicesStridesWord = 11;
const startWord = 12; // where the first row's number lies, when there are no indices
const outWord = 13;
const expressionWord = 14;
const scratchWord = 15;
const scratchBytesWord = 16;
const formWord = 17; // how the table is stored; 0: elements of four bytes
const panelledWord = 18; // address of the number of rows of the buffer that lie in panels, or 0
const panelBaseWord = 19; // address of its first row
const firstRowWord = 20; // the table's first row in it

export function gather(params: usize, thread: i32, threads: i32): void {
  const count = i32At(params, countWord);
  const tableRows = i32At(params, tableRowsWord);
  const rest = i32At(params, restWord);
  const rank = i32At(params, rankWord);
  const shape = pointerAt(params, shapeWord);
  const strides = pointerAt(params, stridesWord);
  const indices = pointerAt(params, indicesWord);
  const out = pointerAt(params, outWord);
  const form = i32At(params, formWord);
  const panelledAt = pointerAt(params, panelledWord);
  const panelled = panelledAt ? load<i32>(panelledAt) : 0;
  const firstRow = i32At(params, firstRowWord);
  const from = shareStart(count, thread, threads);
  const end = shareStart(count, thread + 1, threads);
  for (let i = from; i < end; i++) {
    const row = indices
      ? load<i32>(
          indices +
            rowOffset(
              i,
              i32At(params, indicesRankWord),
              pointerAt(params, indicesShapeWord),
              pointerAt(params, indicesStridesWord),
            ),
        )
      : load<i32>(pointerAt(params, startWord)) + i;
    const inside = max(0, min(row, tableRows - 1));
    const at = pointerAt(params, tableWord) + inside * i32At(params, tableRowWord);
    const to = out + ((<usize>(i * rest)) << 2);
    const place = firstRow + inside;
    if (place < panelled) unpackRow(to, form, pointerAt(params, panelBaseWord), place, rest);
    else if (form == 0) gatherElements(to, at, rank, shape, strides, 0, rest);
    else expandRow(to, form, at, rest);
  }
  const expression = pointerAt(params, expressionWord);
  if (expression) {
    const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
    beginExpression(expression, scratch);
    evaluate(expression, scratch, from * rest, (end - from) * rest);
  }
}
