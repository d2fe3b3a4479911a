// Walking strided views: where a row lies, and moving 4-byte elements between strided rows. Strides count bytes.

/** Byte offset of the `row`-th row: `row` counts the leading `axes` axes of `shape` in row-major order. */
export function rowOffset(row: i32, axes: i32, shape: usize, strides: usize): usize {
  let offset: usize = 0;
  for (let axis = axes - 1; axis > 0; axis--) {
    const at = (<usize>axis) << 2;
    const size = load<i32>(shape + at);
    const next = row / size;
    offset += <usize>((row - next * size) * load<i32>(strides + at));
    row = next;
  }
  return axes > 0 ? offset + <usize>(row * load<i32>(strides)) : offset;
}

/** Copy `count` elements between two strided rows. */
export function copyElements(to: usize, toStride: i32, from: usize, fromStride: i32, count: i32): void {
  if (toStride == 4) {
    if (fromStride == 4) return copyContiguous(to, from, count);
    if (fromStride == 0) return fillContiguous(to, load<i32>(from), count);
  }
  for (; count > 0; count--) {
    store<i32>(to, load<i32>(from));
    to += toStride;
    from += fromStride;
  }
}

function copyContiguous(to: usize, from: usize, count: i32): void {
  if (count >= 256) {
    memory.copy(to, from, (<usize>count) << 2);
    return;
  }
  for (; count >= 4; count -= 4) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
  for (; count > 0; count--) {
    store<i32>(to, load<i32>(from));
    to += 4;
    from += 4;
  }
}

function fillContiguous(to: usize, value: i32, count: i32): void {
  const four = i32x4.splat(value);
  for (; count >= 4; count -= 4) {
    v128.store(to, four);
    to += 16;
  }
  for (; count > 0; count--) {
    store<i32>(to, value);
    to += 4;
  }
}

/** Elements `first` … `first + count − 1` of a view, in row-major order, gathered into contiguous memory. */
export function gatherElements(
  to: usize,
  from: usize,
  rank: i32,
  shape: usize,
  strides: usize,
  first: i32,
  count: i32,
): void {
  const last = (<usize>(rank - 1)) << 2;
  const inner = load<i32>(shape + last);
  const stride = load<i32>(strides + last);
  let row = first / inner;
  let column = first - row * inner;
  while (count > 0) {
    const run = min(inner - column, count);
    copyElements(to, 4, from + rowOffset(row, rank - 1, shape, strides) + <usize>(column * stride), stride, run);
    to += (<usize>run) << 2;
    count -= run;
    column = 0;
    row++;
  }
}

/** The reverse: contiguous elements to places `first` … of a view. */
export function scatterElements(
  to: usize,
  from: usize,
  rank: i32,
  shape: usize,
  strides: usize,
  first: i32,
  count: i32,
): void {
  const last = (<usize>(rank - 1)) << 2;
  const inner = load<i32>(shape + last);
  const stride = load<i32>(strides + last);
  let row = first / inner;
  let column = first - row * inner;
  while (count > 0) {
    const run = min(inner - column, count);
    copyElements(to + rowOffset(row, rank - 1, shape, strides) + <usize>(column * stride), stride, from, 4, run);
    from += (<usize>run) << 2;
    count -= run;
    column = 0;
    row++;
  }
}
