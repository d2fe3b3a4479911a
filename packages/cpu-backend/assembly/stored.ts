// Rows of weights that are stored in fewer bits, as f32. Forms: 1 f16, 2 bf16, 3 Q8_0, 4 Q4_0.
import { halfMask, halfScale, widenF16 } from './simd';
import { copyElements } from './views';

/** The first `count` values of a row. For blocks `count` is a multiple of 32. */
export function expandRow(to: usize, form: i32, from: usize, count: i32): void {
  if (form == 3) expandQ8(to, from, count >> 5);
  else if (form == 4) expandQ4(to, from, count >> 5);
  else expandHalves(to, form, from, count);
}

/** Values of two bytes each. */
export function expandHalves(to: usize, form: i32, from: usize, count: i32): void {
  const one = i32(count > 0);
  const mask = halfMask(one);
  const scale = halfScale(one);
  for (; count >= 4; count -= 4) {
    const bits = v128.load_ext<i16>(from);
    v128.store(to, form == 1 ? widenF16(bits, mask, scale) : i32x4.shl(bits, 16));
    to += 16;
    from += 8;
  }
  for (; count > 0; count--) {
    const bits = i32x4.splat(<i32>load<i16>(from));
    v128.store_lane<f32>(to, form == 1 ? widenF16(bits, mask, scale) : i32x4.shl(bits, 16), 0);
    to += 4;
    from += 2;
  }
}

function scaleOf(block: usize): v128 {
  return widenF16(i32x4.splat(<i32>load<i16>(block)), halfMask(1), halfScale(1));
}

function expandQ8(to: usize, from: usize, blocks: i32): void {
  for (; blocks > 0; blocks--) {
    const d = scaleOf(from);
    for (let i: usize = 0; i < 32; i += 8) {
      const numbers = v128.load_ext<i8>(from + i, 2);
      v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(numbers))));
      v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(numbers))), 16);
      to += 32;
    }
    from += 34;
  }
}

function expandQ4(to: usize, from: usize, blocks: i32): void {
  const eight = i16x8.splat(8);
  for (; blocks > 0; blocks--) {
    const d = scaleOf(from);
    for (let i: usize = 0; i < 16; i += 8) {
      const pairs = v128.load_ext<u8>(from + i, 2);
      const low = i16x8.sub(v128.and(pairs, i16x8.splat(15)), eight);
      const high = i16x8.sub(i16x8.shr_u(pairs, 4), eight);
      v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))));
      v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))), 16);
      v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))), 64);
      v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))), 80);
      to += 32;
    }
    to += 64;
    from += 18;
  }
}

/** Row `row` of a matrix whose rows lie in panels (pack.ts), each of `count` values. */
export function unpackRow(to: usize, form: i32, panels: usize, row: i32, count: i32): void {
  if (form < 3) {
    const shift: usize = form == 0 ? 2 : 1;
    let from = panels + ((<usize>(row >> 4) * count) << (shift + 4)) + ((<usize>(row & 15)) << shift);
    if (form == 0) return copyElements(to, 4, from, 64, count);
    for (; count > 0; count--) {
      expandHalves(to, form, from, 1);
      to += 4;
      from += 32;
    }
  } else {
    const column = <usize>(row & 7);
    const blockBytes: usize = form == 3 ? 272 : 144;
    const blocks = count >> 5;
    let block = panels + <usize>((row >> 3) * blocks) * blockBytes;
    for (let i = 0; i < blocks; i++) {
      const d = f32x4.extract_lane(scaleOf(block + (column << 1)), 0);
      for (let k: usize = 0; k < 32; k++) {
        let number: i32;
        if (form == 3) number = load<i8>(block + 16 + (k >> 1) * 16 + (column << 1) + (k & 1));
        else {
          const lane = <i32>load<u16>(block + 16 + (k >> 3) * 32 + (column << 2) + ((k & 1) << 1));
          number = ((lane >> ((<i32>((k & 7) >> 1)) << 2)) & 15) - 8;
        }
        store<f32>(to + (k << 2), d * <f32>number);
      }
      to += 128;
      block += blockBytes;
    }
  }
}
