// Packing the right operand of matmul into panels: eight columns each, row after row, so that a micro-kernel reads it in one
// stream. The last panel is filled up with zeros. Layout: [ceil(columns / 8)][depth][8].

/** Interleave the 4 × 4 block at `from` (four columns, contiguous along depth) into four rows of a panel. */
function transpose(to: usize, from: usize, columnStride: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + columnStride);
  const c = v128.load(from + 2 * columnStride);
  const d = v128.load(from + 3 * columnStride);
  const ab = i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const cd = i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const abHigh = i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  const cdHigh = i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 32);
  v128.store(to, i64x2.shuffle(abHigh, cdHigh, 0, 2), 64);
  v128.store(to, i64x2.shuffle(abHigh, cdHigh, 1, 3), 96);
}

function packPanel(to: usize, from: usize, rowStride: i32, columnStride: i32, depth: i32, columns: i32): void {
  let k = 0;
  if (columns == 8 && columnStride == 4) {
    for (; k < depth; k++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      to += 32;
      from += rowStride;
    }
    return;
  }
  if (columns == 8 && rowStride == 4) {
    for (; k + 4 <= depth; k += 4) {
      transpose(to, from, columnStride);
      transpose(to + 16, from + 4 * columnStride, columnStride);
      to += 128;
      from += 16;
    }
  }
  for (; k < depth; k++) {
    let at = from;
    for (let column = 0; column < 8; column++) {
      store<f32>(to + ((<usize>column) << 2), column < columns ? load<f32>(at) : 0);
      if (column + 1 < columns) at += columnStride;
    }
    to += 32;
    from += rowStride;
  }
}

/** Pack `columns` columns of `depth` elements; strides in bytes. */
export function packColumns(to: usize, from: usize, rowStride: i32, columnStride: i32, depth: i32, columns: i32): void {
  for (; columns > 0; columns -= 8) {
    packPanel(to, from, rowStride, columnStride, depth, min(columns, 8));
    to += (<usize>depth) << 5;
    from += columnStride << 3;
  }
}

/** Make the rows of the left operand contiguous: `rows` rows of `depth` elements, one after the other. */
export function packRows(to: usize, from: usize, rowStride: i32, columnStride: i32, rows: i32, depth: i32): void {
  for (; rows > 0; rows--) {
    let at = from;
    for (let k = 0; k < depth; k++) {
      store<f32>(to, load<f32>(at));
      to += 4;
      at += columnStride;
    }
    from += rowStride;
  }
}
