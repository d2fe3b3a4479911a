// attention: scores of the visible keys, softmax, weighted sum of their values. A query row is (b, h, t); rows that follow each other
// are taken together, some keys at a time, so that keys and values are read from memory once and in order, and two rows that see
// the same keys share what is loaded (keys.ts). Keys that are masked out are left out of the work: the visible ones are listed first.
// What a row gives does not depend on the rows beside it.
import { beginExpression, evaluate } from './expression';
import { scorePair, scoreRow, weighValues } from './keys';
import { rowExp, rowMax } from './rows';
import { f32At, i32At, pointerAt, shareStart, wordShift } from './words';

/** Keys that are taken at a time: a multiple of four. */
const blockKeys: i32 = 64;

const batchWord = 0;
const queriesWord = 1;
const headsWord = 2;
const keysMostWord = 3; // S
const groupsWord = 4;
const sizeWord = 5; // D
const valueSizeWord = 6; // Dv
const scaleWord = 7;
const causalWord = 8;
const startWord = 9; // addresses of i32
const keysWord = 10;
const windowWord = 11; // 0: none
const softcapWord = 12; // 0: none
const queryWord = 13; // address, then strides of B, T, H
const keyWord = 17; // address, then strides of B, S, G
const valueWord = 21; // address, then strides of B, S, G
const maskWord = 25; // address or 0, then strides of B, H, T, S
const biasWord = 30; // address or 0, then strides of B, H, T, S
const outWord = 35;
const expressionWord = 36;
const scratchWord = 37;
const scratchBytesWord = 38;
const scoresWord = 39; // offsets in scratch
const listWord = 40;
const recordsWord = 41;
const scoresRowWord = 42; // bytes of a row of scores
const togetherWord = 43; // rows that are taken together, at most

// What is known of a row that waits for its turn.
const recordBytes: usize = 8 << wordShift;
const queryOf = 0; // addresses
const keyOf = 1;
const valueOf = 2;
const listOf = 3; // or 0
const countOf = 4;
const elementOf = 5; // its first element in the output
const fromOf = 6; // its first key
const biasOf = 7; // address of the bias of key 0, or 0

/** Offset of [b, h, t] in a view whose strides begin at a word. */
function offsetOf(params: usize, word: i32, i: i32, j: i32, k: i32): usize {
  return <usize>(i * i32At(params, word) + j * i32At(params, word + 1) + k * i32At(params, word + 2));
}

function setWord(record: usize, word: i32, value: usize): void {
  store<usize>(record + ((<usize>word) << wordShift), value);
}

export function attention(params: usize, thread: i32, threads: i32): void {
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const batch = i32At(params, batchWord);
  const queries = i32At(params, queriesWord);
  const heads = i32At(params, headsWord);
  const groups = i32At(params, groupsWord);
  const valueSize = i32At(params, valueSizeWord);
  const causal = i32At(params, causalWord) != 0;
  const start = load<i32>(pointerAt(params, startWord));
  const keys = max(0, min(load<i32>(pointerAt(params, keysWord)), i32At(params, keysMostWord)));
  const window = i32At(params, windowWord);
  const mask = pointerAt(params, maskWord);
  const maskStride = i32At(params, maskWord + 4);
  const bias = pointerAt(params, biasWord);
  const list = scratch + pointerAt(params, listWord);
  const records = scratch + pointerAt(params, recordsWord);
  const together = i32At(params, togetherWord);
  const expression = pointerAt(params, expressionWord);
  if (expression) beginExpression(expression, scratch);
  const rows = batch * heads * queries;
  const end = shareStart(rows, thread + 1, threads);
  let waiting = 0;
  let listedMask: usize = 0;
  let listedFrom = -1;
  let listedTo = -1;
  let listed = 0;
  for (let row = shareStart(rows, thread, threads); row < end; row++) {
    const t = row % queries;
    const h = (row / queries) % heads;
    const b = row / (queries * heads);
    const g = (h * groups) / heads;
    let from = 0;
    let until = keys;
    if (causal) until = min(until, t + start + 1);
    if (window > 0) {
      from = max(from, t + start - window + 1);
      until = min(until, t + start + window);
    }
    let count = max(0, until - from);
    let byList = false;
    if (mask && count > 0) {
      const rowMask = mask + offsetOf(params, maskWord + 1, b, h, t);
      if (rowMask != listedMask || from != listedFrom || until != listedTo) {
        attend(params, scratch, waiting);
        waiting = 0;
        listed = listVisible(list, rowMask, maskStride, from, until);
        listedMask = rowMask;
        listedFrom = from;
        listedTo = until;
      }
      byList = listed < count;
      count = listed;
    }
    const first = byList ? 0 : from;
    const record = records + <usize>waiting * recordBytes;
    setWord(record, queryOf, pointerAt(params, queryWord) + offsetOf(params, queryWord + 1, b, t, h));
    setWord(record, keyOf, pointerAt(params, keyWord) + offsetOf(params, keyWord + 1, b, first, g));
    setWord(record, valueOf, pointerAt(params, valueWord) + offsetOf(params, valueWord + 1, b, first, g));
    setWord(record, listOf, byList ? list : 0);
    setWord(record, countOf, count);
    setWord(record, elementOf, ((b * queries + t) * heads + h) * valueSize);
    setWord(record, fromOf, from);
    setWord(record, biasOf, bias ? bias + offsetOf(params, biasWord + 1, b, h, t) : 0);
    if (++waiting == together) {
      attend(params, scratch, waiting);
      waiting = 0;
    }
  }
  attend(params, scratch, waiting);
}

/** The first `rows` rows that wait. */
function attend(params: usize, scratch: usize, rows: i32): void {
  const records = scratch + pointerAt(params, recordsWord);
  const scores = scratch + pointerAt(params, scoresWord);
  const scoresRow = pointerAt(params, scoresRowWord);
  const size = i32At(params, sizeWord);
  const keyStride = i32At(params, keyWord + 2);
  const valueSize = i32At(params, valueSizeWord);
  const valueStride = i32At(params, valueWord + 2);
  const scale = f32At(params, scaleWord);
  const softcap = f32At(params, softcapWord);
  const out = pointerAt(params, outWord);
  const expression = pointerAt(params, expressionWord);
  let most = 0;
  for (let i = 0; i < rows; i++) most = max(most, i32At(records + <usize>i * recordBytes, countOf));

  for (let key = 0; key < most; key += blockKeys) {
    touch(records, rows, keyOf, key, keyStride, size, most);
    let i = 0;
    while (i < rows) {
      const record = records + <usize>i * recordBytes;
      const to = scores + <usize>i * scoresRow;
      const q = pointerAt(record, queryOf);
      const k = pointerAt(record, keyOf);
      const list = pointerAt(record, listOf);
      const count = i32At(record, countOf);
      const next = record + recordBytes;
      if (i + 1 < rows && pointerAt(next, keyOf) == k && pointerAt(next, listOf) == list) {
        const longer = max(count, i32At(next, countOf));
        const end = min(key + blockKeys, longer);
        scorePair(
          to,
          scoresRow,
          q,
          pointerAt(next, queryOf),
          k,
          keyStride,
          list,
          key,
          end,
          longer,
          size,
          scale,
          softcap,
        );
        i += 2;
      } else {
        scoreRow(to, q, k, keyStride, list, key, min(key + blockKeys, count), count, size, scale, softcap);
        i++;
      }
    }
  }

  for (let i = 0; i < rows; i++) {
    const record = records + <usize>i * recordBytes;
    const row = scores + <usize>i * scoresRow;
    const count = i32At(record, countOf);
    if (pointerAt(record, biasOf)) addBias(row, record, i32At(params, biasWord + 4), count);
    const sum = rowExp(row, row, count, rowMax(row, count));
    // The reciprocal waits behind the row's scores.
    store<f32>(row + scoresRow - 4, count > 0 ? 1 / sum : 0);
    memory.fill(out + (pointerAt(record, elementOf) << 2), 0, (<usize>valueSize) << 2);
  }

  for (let key = 0; key < most; key += blockKeys) {
    touch(records, rows, valueOf, key, valueStride, valueSize, most);
    for (let i = 0; i < rows; i++) {
      const record = records + <usize>i * recordBytes;
      const row = scores + <usize>i * scoresRow;
      const count = i32At(record, countOf);
      if (key >= count) continue;
      const end = min(key + blockKeys, count);
      const factor: f32 = end == count ? load<f32>(row + scoresRow - 4) : 1;
      const to = out + (pointerAt(record, elementOf) << 2);
      weighValues(
        to,
        row,
        pointerAt(record, valueOf),
        valueStride,
        pointerAt(record, listOf),
        key,
        end,
        valueSize,
        factor,
      );
    }
  }

  if (expression)
    for (let i = 0; i < rows; i++)
      evaluate(expression, scratch, i32At(records + <usize>i * recordBytes, elementOf), valueSize);
}

/**
 * Read a byte of every cache line of a block of keys or values, in order: heads take their parts of it one after the other, which is no
 * order that processors fetch ahead in. Only where the rows are of one sequence and see all of its keys.
 */
function touch(records: usize, rows: i32, word: i32, key: i32, stride: i32, size: i32, most: i32): void {
  let low = pointerAt(records, word);
  let high = low;
  for (let i = 0; i < rows; i++) {
    const record = records + <usize>i * recordBytes;
    if (pointerAt(record, listOf)) return;
    low = min(low, pointerAt(record, word));
    high = max(high, pointerAt(record, word));
  }
  let bytes = <i32>(high - low) + (size << 2);
  if (bytes > stride) return;
  let keys = min(blockKeys, most - key);
  // What lies between is read, too, where it is no more: caches have the values of a position beside its keys.
  if (stride <= 2 * bytes + 64) {
    bytes = (keys - 1) * stride + bytes;
    keys = 1;
  }
  let at = low + <usize>(key * stride);
  let sum: u32 = 0;
  for (; keys > 0; keys--) {
    for (let i = 0; i < bytes; i += 64) sum += <u32>load<u8>(at + i);
    at += stride;
  }
  store<u32>(records + <usize>rows * recordBytes, sum);
}

function addBias(row: usize, record: usize, stride: i32, count: i32): void {
  const list = pointerAt(record, listOf);
  const bias = pointerAt(record, biasOf);
  const from = i32At(record, fromOf);
  for (let i = 0; i < count; i++) {
    const key = list ? load<i32>(list + ((<usize>i) << 2)) : from + i;
    const score = row + ((<usize>i) << 2);
    store<f32>(score, load<f32>(score) + load<f32>(bias + key * stride));
  }
}

/** Numbers of the keys from `from` to `until` whose mask is not 0; how many they are. */
function listVisible(list: usize, mask: usize, stride: i32, from: i32, until: i32): i32 {
  let count = 0;
  for (let key = from; key < until; key++) {
    store<i32>(list + ((<usize>count) << 2), key);
    count += load<i32>(mask + key * stride) != 0 ? 1 : 0;
  }
  return count;
}
