// Quantisation and casts: real numbers as small integers or small floats, and back.
import { add, broadcastTo, cast, div, equal, expandDims, less, lessEqual, max, maximum, min, minimum, mul, neg, abs, reshape, round, select, sub, sum, where } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { kindOf } from '../format.ts';
import type { Kind } from '../format.ts';
import type { OnnxNode, Operator } from '../node.ts';
import { next, smallFloats, thresholds } from '../small-floats.ts';
import type { SmallFloat } from '../small-floats.ts';
import { aligned, repeat } from './axes.ts';
import { wrapped } from './pointwise.ts';

/** The numbers that an integer type has. */
function rangeOf({ dtype, bits = 32 }: Kind): [low: number, high: number] {
  return dtype === 'u32' ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** A scale or zero point so that it broadcasts against x: one for all, one for each place of an axis, or one for each block. */
function spread(node: OnnxNode, parameter: Tensor, shape: readonly number[]): Tensor {
  const axis = node.number('axis', 1);
  const block = node.number('block_size', 0);
  return block > 0 ? repeat(parameter, axis, block) : aligned(parameter, axis, shape.length);
}

/** Inputs `at` minus their zero point, which may be left out, in f32. */
export function shifted(node: OnnxNode, at: number, zero: number): Tensor {
  const x = node.as('f32', at);
  return node.has(zero) ? sub(x, spread(node, node.as('f32', zero), x.shape)) : x;
}

/** x / scale + zero point, to the nearest whole number (halves to even), within the type of the zero point. */
export function quantized(node: OnnxNode, x: Tensor, scale: number, zero: number): Tensor {
  const kind = node.outputKind(0);
  const parts = div(x, spread(node, node.as('f32', scale), x.shape));
  const small = smallFloats[kind.name];
  if (small) return encoded(parts, small, true);
  const whole = round(parts);
  const moved = node.has(zero) ? add(whole, spread(node, node.as('f32', zero), x.shape)) : whole;
  const [low, high] = rangeOf(kind);
  return cast(minimum(maximum(moved, low), high), kind.dtype);
}

function dequantized(node: OnnxNode): Tensor {
  const x = shifted(node, 0, 2);
  return mul(x, spread(node, node.as('f32', 1), x.shape));
}

/** To eight bits, from the least to the largest number of x, 0 included. */
function dynamicallyQuantized(node: OnnxNode): Tensor[] {
  const x = node.tensor(0);
  const axes = { axes: [...x.shape.keys()], keepDims: false };
  const [low, high] = [minimum(min(x, axes), 0), maximum(max(x, axes), 0)];
  const scale = div(sub(high, low), 255);
  const within = (t: Tensor): Tensor => minimum(maximum(round(t), 0), 255);
  const zero = within(div(neg(low), scale));
  const y = within(add(round(div(x, scale)), zero));
  return [cast(y, 'u32'), scale, cast(zero, 'u32')];
}

/** Another type. Real numbers lose what is behind the point; integers wrap. */
function casted(node: OnnxNode): Tensor {
  const to = kindOf(node.number('to', 1))!;
  const x = node.tensor(0);
  const small = smallFloats[to.name];
  if (small) return encoded(cast(x, 'f32'), small, node.flag('saturate', true), node.text('round_mode', 'up'));
  if (to.name === 'bool') return equal(equal(x, 0), 0);
  return wrapped(cast(x, to.dtype), to);
}

/** The code of the nearest small float. Too large a number becomes the largest one when it saturates, otherwise infinity or NaN. */
function encoded(x: Tensor, small: SmallFloat, saturate: boolean, rounding = 'up'): Tensor {
  const { largest, sign, nan, infinity, negativeZero } = small;
  const size = abs(x);
  const limits = limitsOf(small, rounding);
  const table = x.graph.constant('limits of codes', [limits.length], limits);
  const reached = lessEqual(broadcastTo(table, [...x.shape, limits.length]), expandDims(size, -1));
  const code = sum(reached, { keepDims: false }); // i32
  const top = small.values[largest]!;
  const step = top - small.values[largest - 1]!;
  const beyond = saturate ? largest : (infinity ?? nan);
  // Halfway to the next value, which there is none of.
  const limit = sign === 0 ? Infinity : Math.fround(top + step / 2);
  const tooLarge = largest % 2 === 0 ? less(limit, size) : lessEqual(limit, size);
  const magnitude = where(tooLarge, beyond, code);
  if (sign === 0) return where(equal(x, x), magnitude, nan);
  const negative = less(reciprocalOf(x), 0);
  const signed = where(negative, add(magnitude, sign), magnitude);
  const zeroed = negativeZero ? signed : where(equal(magnitude, 0), 0, where(equal(magnitude, nan), nan, signed));
  return where(equal(x, x), zeroed, nan);
}
