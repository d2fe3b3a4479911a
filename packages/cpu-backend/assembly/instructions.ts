// The instructions of expressions, each a loop over one block. Blocks are read and written in whole vectors: a block of n
// elements takes (n + 3) / 4 of them. Operation codes are the positions in `opcodes` of `src/kernels/opcodes.ts`.
import { erf4, exp4, log4, tanh4 } from './math';
import { pow4 } from './power';
import { choose } from './simd';
import { cos4, sin4 } from './trigonometry';

const instructionBytes = 20;

/** Run `count` instructions {code, result, a, b, c}, the last four being slots, over n elements. */
export function execute(at: usize, count: i32, slots: usize, n: i32): void {
  const bytes = (<usize>((n + 3) & ~3)) << 2;
  for (; count > 0; count--) {
    const to = slots + (load<i32>(at, 4) << 4);
    const a = slots + (load<i32>(at, 8) << 4);
    const b = slots + (load<i32>(at, 12) << 4);
    const c = slots + (load<i32>(at, 16) << 4);
    const start = load<usize>(to);
    instruction(
      load<i32>(at),
      start,
      start + bytes,
      load<usize>(a),
      load<u32>(a, 8),
      load<usize>(b),
      load<u32>(b, 8),
      load<usize>(c),
      load<u32>(c, 8),
    );
    at += instructionBytes;
  }
}

function truth(mask: v128): v128 {
  return v128.and(mask, i32x4.splat(1));
}

function sign4(x: v128): v128 {
  const zero = f32x4.splat(0.0);
  const one = v128.or(f32x4.splat(1.0), v128.and(x, f32x4.splat(-0.0)));
  return choose(x, one, v128.or(f32x4.eq(x, zero), f32x4.ne(x, x)));
}

function signI(x: v128): v128 {
  return v128.or(i32x4.shr_s(x, 31), truth(i32x4.gt_s(x, i32x4.splat(0))));
}

/** Integer division and remainder by lanes; zero divisors give 0, and the one overflowing quotient wraps. */
function divideI(a: i32, b: i32): i32 {
  return b == 0 ? 0 : b == -1 ? -a : a / b;
}

function remainderI(a: i32, b: i32): i32 {
  return b == 0 || b == -1 ? 0 : a % b;
}

function divideU(a: u32, b: u32): u32 {
  return b == 0 ? 0 : a / b;
}

function remainderU(a: u32, b: u32): u32 {
  return b == 0 ? 0 : a % b;
}

/** The operations without a vector form, one lane at a time. */
function lane(code: i32, a: i32, b: i32): i32 {
  switch (code) {
    case 5:
      return reinterpret<i32>(reinterpret<f32>(a) % reinterpret<f32>(b));
    case 30:
      return divideI(a, b);
    case 31:
      return <i32>divideU(a, b);
    case 32:
      return remainderI(a, b);
    case 33:
      return <i32>remainderU(a, b);
    case 47:
      return a << b;
    case 48:
      return a >> b;
    default:
      return <i32>((<u32>a) >> b);
  }
}

function lanes(code: i32, to: usize, end: usize, a: usize, aStep: usize, b: usize, bStep: usize): void {
  for (; to < end; to += 16) {
    store<i32>(to, lane(code, load<i32>(a), load<i32>(b)));
    store<i32>(to, lane(code, load<i32>(a, 4), load<i32>(b, 4)), 4);
    store<i32>(to, lane(code, load<i32>(a, 8), load<i32>(b, 8)), 8);
    store<i32>(to, lane(code, load<i32>(a, 12), load<i32>(b, 12)), 12);
    a += aStep;
    b += bStep;
  }
}

function instruction(
  code: i32,
  to: usize,
  end: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
): void {
  switch (code) {
    case 0: // move
      for (; to < end; to += 16, a += aStep) v128.store(to, v128.load(a));
      return;
    case 1: // add
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, f32x4.add(v128.load(a), v128.load(b)));
      return;
    case 2: // sub
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, f32x4.sub(v128.load(a), v128.load(b)));
      return;
    case 3: // mul
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, f32x4.mul(v128.load(a), v128.load(b)));
      return;
    case 4: // div
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, f32x4.div(v128.load(a), v128.load(b)));
      return;
    case 6: // max
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, f32x4.pmax(v128.load(a), v128.load(b)));
      return;
    case 7: // min
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, f32x4.pmin(v128.load(a), v128.load(b)));
      return;
    case 8: // pow
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, pow4(v128.load(a), v128.load(b)));
      return;
    case 9: // neg
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.neg(v128.load(a)));
      return;
    case 10: // abs
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.abs(v128.load(a)));
      return;
    case 11: // sign
      for (; to < end; to += 16, a += aStep) v128.store(to, sign4(v128.load(a)));
      return;
    case 12: // exp
      for (; to < end; to += 16, a += aStep) v128.store(to, exp4(v128.load(a)));
      return;
    case 13: // log
      for (; to < end; to += 16, a += aStep) v128.store(to, log4(v128.load(a)));
      return;
    case 14: // sqrt
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.sqrt(v128.load(a)));
      return;
    case 15: // rsqrt
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.div(f32x4.splat(1.0), f32x4.sqrt(v128.load(a))));
      return;
    case 16: // sin
      for (; to < end; to += 16, a += aStep) v128.store(to, sin4(v128.load(a)));
      return;
    case 17: // cos
      for (; to < end; to += 16, a += aStep) v128.store(to, cos4(v128.load(a)));
      return;
    case 18: // tanh
      for (; to < end; to += 16, a += aStep) v128.store(to, tanh4(v128.load(a)));
      return;
    case 19: // erf
      for (; to < end; to += 16, a += aStep) v128.store(to, erf4(v128.load(a)));
      return;
    case 20: // floor
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.floor(v128.load(a)));
      return;
    case 21: // ceil
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.ceil(v128.load(a)));
      return;
    case 22: // round
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.nearest(v128.load(a)));
      return;
    case 23: // less
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(f32x4.lt(v128.load(a), v128.load(b))));
      return;
    case 24: // lessEqual
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(f32x4.le(v128.load(a), v128.load(b))));
      return;
    case 25: // equal
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(f32x4.eq(v128.load(a), v128.load(b))));
      return;
    case 26: // select
      for (; to < end; to += 16, a += aStep, b += bStep, c += cStep)
        v128.store(to, choose(v128.load(b), v128.load(c), i32x4.ne(v128.load(a), i32x4.splat(0))));
      return;
    case 27: // addI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, i32x4.add(v128.load(a), v128.load(b)));
      return;
    case 28: // subI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, i32x4.sub(v128.load(a), v128.load(b)));
      return;
    case 29: // mulI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, i32x4.mul(v128.load(a), v128.load(b)));
      return;
    case 34: // maxI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, i32x4.max_s(v128.load(a), v128.load(b)));
      return;
    case 35: // maxU
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, i32x4.max_u(v128.load(a), v128.load(b)));
      return;
    case 36: // minI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, i32x4.min_s(v128.load(a), v128.load(b)));
      return;
    case 37: // minU
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, i32x4.min_u(v128.load(a), v128.load(b)));
      return;
    case 38: // negI
      for (; to < end; to += 16, a += aStep) v128.store(to, i32x4.neg(v128.load(a)));
      return;
    case 39: // absI
      for (; to < end; to += 16, a += aStep) v128.store(to, i32x4.abs(v128.load(a)));
      return;
    case 40: // signI
      for (; to < end; to += 16, a += aStep) v128.store(to, signI(v128.load(a)));
      return;
    case 41: // signU
      for (; to < end; to += 16, a += aStep)
        v128.store(to, v128.andnot(i32x4.splat(1), i32x4.eq(v128.load(a), i32x4.splat(0))));
      return;
    case 42: // lessI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(i32x4.lt_s(v128.load(a), v128.load(b))));
      return;
    case 43: // lessU
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(i32x4.lt_u(v128.load(a), v128.load(b))));
      return;
    case 44: // lessEqualI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(i32x4.le_s(v128.load(a), v128.load(b))));
      return;
    case 45: // lessEqualU
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(i32x4.le_u(v128.load(a), v128.load(b))));
      return;
    case 46: // equalI
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, truth(i32x4.eq(v128.load(a), v128.load(b))));
      return;
    case 50: // and
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, v128.and(v128.load(a), v128.load(b)));
      return;
    case 51: // or
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, v128.or(v128.load(a), v128.load(b)));
      return;
    case 52: // xor
      for (; to < end; to += 16, a += aStep, b += bStep) v128.store(to, v128.xor(v128.load(a), v128.load(b)));
      return;
    case 53: // floatToI
      for (; to < end; to += 16, a += aStep) v128.store(to, i32x4.trunc_sat_f32x4_s(v128.load(a)));
      return;
    case 54: // floatToU
      for (; to < end; to += 16, a += aStep) v128.store(to, i32x4.trunc_sat_f32x4_u(v128.load(a)));
      return;
    case 55: // iToFloat
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.convert_i32x4_s(v128.load(a)));
      return;
    case 56: // uToFloat
      for (; to < end; to += 16, a += aStep) v128.store(to, f32x4.convert_i32x4_u(v128.load(a)));
      return;
    default: // mod, divI, divU, modI, modU, shiftLeft, shiftRightI, shiftRightU
      lanes(code, to, end, a, aStep, b, bStep);
  }
}
