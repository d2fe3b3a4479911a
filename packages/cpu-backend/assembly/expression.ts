// Scalar expressions over blocks of elements. An expression arrives as a list of instructions; each one runs over a whole
// block of at most 256 elements before the next, so that decoding costs little and every block stays in the L1 cache.
// Operands are slots of 16 bytes, {pointer, step}: contiguous inputs are read where they lie, constants and scalars are one vector with step 0.
import { execute } from './instructions';
import { i32At, pointerAt, wordShift } from './words';
import { copyElements, gatherElements, rowOffset, scatterElements } from './views';

const blockElements: i32 = 256;

// Words of the block that `src/kernels/expression.ts` writes.
const rankWord = 0; // axes after merging, at least 1
const innerWord = 1; // size of the last of them
const flatWord = 2; // 1: blocks run across rows, and inputs that are not contiguous are gathered
const shapeWord = 3;
const operandsWord = 4;
const operandsAtWord = 5;
const instructionsWord = 6;
const instructionsAtWord = 7;
const slotsWord = 8;
const slotsAtWord = 9;
const outWord = 10;
const outStridesWord = 11;
const outDirectWord = 12; // 1: result rows are contiguous
const elementsWord = 13;
const rowsAtWord = 14; // in scratch: the operands' row pointers

// Words of one operand.
const operandBytes: usize = 6 << wordShift;
const kindWord = 0; // 0 contiguous along the row, 1 one value for the row, 2 gathered, 3 position along an axis
const baseWord = 1;
const slotWord = 2;
const stridesWord = 3;
const divisorWord = 4; // of positions: elements per step
const modulusWord = 5; // and size of the axis

/** Number of elements of the result. */
export function expressionElements(e: usize): i32 {
  return i32At(e, elementsWord);
}

/** Make a thread's scratch ready for `evaluate`. Slots of the template are {in scratch?, pointer, step}. */
export function beginExpression(e: usize, scratch: usize): void {
  const slots = i32At(e, slotsWord);
  let template = pointerAt(e, slotsAtWord);
  let slot = scratch;
  for (let i = 0; i < slots; i++) {
    store<usize>(slot, pointerAt(template, 1) + (i32At(template, 0) != 0 ? scratch : 0));
    store<i32>(slot, i32At(template, 2), 8);
    template += 3 << wordShift;
    slot += 16;
  }
}

/** Compute elements `first` … `first + count − 1` of the result, counted in row-major order. */
export function evaluate(e: usize, scratch: usize, first: i32, count: i32): void {
  if (count <= 0) return;
  if (i32At(e, flatWord) != 0) {
    while (count > 0) {
      const n = min(count, blockElements);
      evaluateFlat(e, scratch, first, n);
      first += n;
      count -= n;
    }
    return;
  }
  const inner = i32At(e, innerWord);
  let row = first / inner;
  let column = first - row * inner;
  while (count > 0) {
    const run = min(inner - column, count);
    evaluateRow(e, scratch, row, column, run);
    count -= run;
    column = 0;
    row++;
  }
}

function evaluateRow(e: usize, scratch: usize, row: i32, column: i32, count: i32): void {
  const axes = i32At(e, rankWord) - 1;
  const last = (<usize>axes) << 2;
  const shape = pointerAt(e, shapeWord);
  const operands = i32At(e, operandsWord);
  const operandsAt = pointerAt(e, operandsAtWord);
  const rows = scratch + pointerAt(e, rowsAtWord);
  let operand = operandsAt;
  for (let i = 0; i < operands; i++) {
    const kind = i32At(operand, kindWord);
    if (kind != 3) {
      const at = pointerAt(operand, baseWord) + rowOffset(row, axes, shape, pointerAt(operand, stridesWord));
      store<usize>(rows + ((<usize>i) << 3), at);
      if (kind == 1) v128.store(load<usize>(scratch + (i32At(operand, slotWord) << 4)), v128.load32_splat(at));
    }
    operand += operandBytes;
  }
  const outStrides = pointerAt(e, outStridesWord);
  const outStride = load<i32>(outStrides + last);
  const out = pointerAt(e, outWord) + rowOffset(row, axes, shape, outStrides);
  const direct = i32At(e, outDirectWord) != 0;
  const staged = scratch + pointerAt(e, rowsAtWord) + ((<usize>operands * 8 + 15) & ~15);
  const inner = i32At(e, innerWord);
  while (count > 0) {
    const n = min(count, blockElements);
    operand = operandsAt;
    for (let i = 0; i < operands; i++) {
      const kind = i32At(operand, kindWord);
      const slot = scratch + (i32At(operand, slotWord) << 4);
      const from = load<usize>(rows + ((<usize>i) << 3));
      if (kind == 0) store<usize>(slot, from + (column << 2));
      else if (kind == 2) {
        const stride = load<i32>(pointerAt(operand, stridesWord) + last);
        copyElements(load<usize>(slot), 4, from + column * stride, stride, n);
      } else if (kind == 3) positions(load<usize>(slot), operand, row * inner + column, n);
      operand += operandBytes;
    }
    const to = out + <usize>(column * outStride);
    const inPlace = direct && (n & 3) == 0;
    store<usize>(scratch, inPlace ? to : staged);
    execute(pointerAt(e, instructionsAtWord), i32At(e, instructionsWord), scratch, n);
    if (!inPlace) copyElements(to, outStride, staged, 4, n);
    column += n;
    count -= n;
  }
}

function evaluateFlat(e: usize, scratch: usize, first: i32, n: i32): void {
  const rank = i32At(e, rankWord);
  const shape = pointerAt(e, shapeWord);
  const operands = i32At(e, operandsWord);
  let operand = pointerAt(e, operandsAtWord);
  for (let i = 0; i < operands; i++) {
    const slot = scratch + (i32At(operand, slotWord) << 4);
    const base = pointerAt(operand, baseWord);
    const kind = i32At(operand, kindWord);
    if (kind == 0) store<usize>(slot, base + (first << 2));
    else if (kind == 1) v128.store(load<usize>(slot), v128.load32_splat(base));
    else if (kind == 2) gatherElements(load<usize>(slot), base, rank, shape, pointerAt(operand, stridesWord), first, n);
    else positions(load<usize>(slot), operand, first, n);
    operand += operandBytes;
  }
  const out = pointerAt(e, outWord);
  const direct = i32At(e, outDirectWord) != 0;
  const staged = scratch + pointerAt(e, rowsAtWord) + ((<usize>operands * 8 + 15) & ~15);
  const inPlace = direct && (n & 3) == 0;
  store<usize>(scratch, inPlace ? out + ((<usize>first) << 2) : staged);
  execute(pointerAt(e, instructionsAtWord), i32At(e, instructionsWord), scratch, n);
  if (inPlace) return;
  if (direct) copyElements(out + ((<usize>first) << 2), 4, staged, 4, n);
  else scatterElements(out, staged, rank, shape, pointerAt(e, outStridesWord), first, n);
}

/** Where elements `first` … are along one axis of the result. */
function positions(to: usize, operand: usize, first: i32, count: i32): void {
  const divisor = i32At(operand, divisorWord);
  const modulus = i32At(operand, modulusWord);
  const steps = first / divisor;
  let within = first - steps * divisor;
  let position = steps % modulus;
  for (; count > 0; count--) {
    store<i32>(to, position);
    to += 4;
    if (++within == divisor) {
      within = 0;
      if (++position == modulus) position = 0;
    }
  }
}
