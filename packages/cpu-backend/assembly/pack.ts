// Packing the right operand of matmul into panels: some columns each, row after row, so that a micro-kernel reads it in one
// stream. The last panel is filled up with zeros. Layout of f32, f16 and bf16: [ceil(columns / 16)][depth][16].

/** Four columns, contiguous along depth, of the four rows at `from` into rows of a panel. */
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
  v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 64);
  v128.store(to, i64x2.shuffle(abHigh, cdHigh, 0, 2), 128);
  v128.store(to, i64x2.shuffle(abHigh, cdHigh, 1, 3), 192);
}

function packPanel(to: usize, from: usize, rowStride: i32, columnStride: i32, depth: i32, columns: i32): void {
  let k = 0;
  if (columns == 16 && columnStride == 4) {
    for (; k < depth; k++) {
      for (let i: usize = 0; i < 64; i += 16) v128.store(to + i, v128.load(from + i));
      to += 64;
      from += rowStride;
    }
    return;
  }
  if (columns == 16 && rowStride == 4) {
    for (; k + 4 <= depth; k += 4) {
      for (let i: usize = 0; i < 4; i++) transpose(to + (i << 4), from + (i << 2) * columnStride, columnStride);
      to += 256;
      from += 16;
    }
  }
  for (; k < depth; k++) {
    let at = from;
    for (let column = 0; column < 16; column++) {
      store<f32>(to + ((<usize>column) << 2), column < columns ? load<f32>(at) : 0);
      if (column + 1 < columns) at += columnStride;
    }
    to += 64;
    from += rowStride;
  }
}

/** Pack `columns` columns of `depth` elements; strides in bytes. */
export function packColumns(to: usize, from: usize, rowStride: i32, columnStride: i32, depth: i32, columns: i32): void {
  for (; columns > 0; columns -= 16) {
    packPanel(to, from, rowStride, columnStride, depth, min(columns, 16));
    to += (<usize>depth) << 6;
    from += columnStride << 4;
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

/** Columns of elements of two bytes. */
export function packHalves(to: usize, from: usize, rowStride: i32, columnStride: i32, depth: i32, columns: i32): void {
  for (; columns > 0; columns -= 16) {
    const width = min(columns, 16);
    for (let column = 0; column < 16; column++) {
      let at = from + column * columnStride;
      let place = to + ((<usize>column) << 1);
      for (let k = 0; k < depth; k++) {
        store<u16>(place, column < width ? load<u16>(at) : 0);
        place += 32;
        if (column < width) at += rowStride;
      }
    }
    to += (<usize>depth) << 5;
    from += columnStride << 4;
  }
}

/** Eight scales of the blocks at `from`, one a column. */
function packScales(to: usize, from: usize, columnStride: i32, columns: i32): void {
  for (let column = 0; column < 8; column++)
    store<u16>(to + ((<usize>column) << 1), column < columns ? load<u16>(from + column * columnStride) : 0);
}

/** Blocks Q8_0, in panels of eight columns: their scales, then for each two of depth the two numbers of every column. */
export function packQ8(to: usize, from: usize, columnStride: i32, blocks: i32, columns: i32): void {
  for (; columns > 0; columns -= 8) {
    let at = from;
    for (let block = 0; block < blocks; block++) {
      packScales(to, at, columnStride, columns);
      to += 16;
      for (let pair: usize = 0; pair < 32; pair += 2) {
        for (let column = 0; column < 8; column++) {
          store<u16>(to, column < columns ? load<u16>(at + column * columnStride + pair, 2) : 0);
          to += 2;
        }
      }
      at += 34;
    }
    from += columnStride << 3;
  }
}

/** The number of element `k` of the block Q4_0 at `at`. */
function nibble(at: usize, k: i32): i32 {
  const pair = <i32>load<u8>(at + (k & 15), 2);
  return k < 16 ? pair & 15 : pair >> 4;
}

/**
 * Blocks Q4_0, in panels of eight columns: their scales, then for each eight of depth two vectors, of four columns each. A lane of 16 bits
 * holds four numbers: of depth 0, 2, 4, 6 if it is a column's first lane, of 1, 3, 5, 7 if it is its second.
 */
export function packQ4(to: usize, from: usize, columnStride: i32, blocks: i32, columns: i32): void {
  for (; columns > 0; columns -= 8) {
    let at = from;
    for (let block = 0; block < blocks; block++) {
      packScales(to, at, columnStride, columns);
      to += 16;
      for (let k = 0; k < 32; k += 8) {
        for (let column = 0; column < 8; column++) {
          const own = at + column * columnStride;
          for (let odd = 0; odd < 2; odd++) {
            let lane = 0;
            if (column < columns) for (let s = 0; s < 4; s++) lane |= nibble(own, k + 2 * s + odd) << (4 * s);
            store<u16>(to, <u16>lane);
            to += 2;
          }
        }
      }
      at += 18;
    }
    from += columnStride << 3;
  }
}

/** A panel of blocks Q4_0 as one of Q8_0: the same numbers, as bytes. */
export function widenQ4(to: usize, from: usize, blocks: i32): void {
  const low = i16x8.splat(15);
  const eight = i16x8.splat(8);
  for (; blocks > 0; blocks--) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
    for (let turn = 0; turn < 4; turn++) {
      const a = v128.load(from);
      const b = v128.load(from, 16);
      for (let s = 0; s < 16; s += 4) {
        const left = i16x8.sub(v128.and(i16x8.shr_u(a, s), low), eight);
        const right = i16x8.sub(v128.and(i16x8.shr_u(b, s), low), eight);
        v128.store(to, i8x16.narrow_i16x8_s(left, right));
        to += 16;
      }
      from += 32;
    }
  }
}
