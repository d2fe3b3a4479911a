// Quantisation and casts: real numbers as small integers or small floats, and back.
import {
  add,
  cast,
  div,
  equal,
  expandDims,
  less,
  lessEqual,
  max,
  maximum,
  min,
  minimum,
  mul,
  neg,
  abs,
  round,
  sub,
  sum,
  where,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { kindOf } from '../format.ts';
import type { Kind } from '../format.ts';
import type { OnnxNode, Operator } from '../node.ts';
import { smallFloats, thresholds } from '../small-floats.ts';
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
  if (small) return encoded(parts, less(parts, 0), small, true);
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
  if (to.name === 'bool') return equal(equal(x, 0), 0);
  if (!small) return wrapped(cast(to.bits === undefined ? x : cast(x, 'i32'), to.dtype), to);
  const real = cast(x, 'f32');
  // Negative zero shows only where it divides, and negative infinity only where it does not.
  const belowZero = less(real, 0);
  const negative = small.sign > 0 ? maximum(belowZero, less(div(1, real), 0)) : belowZero;
  return encoded(real, negative, small, node.flag('saturate', true));
}

/** The code of the nearest small float. Too large a number becomes the largest one when it saturates, otherwise infinity or NaN. */
function encoded(x: Tensor, negative: Tensor, small: SmallFloat, saturate: boolean): Tensor {
  const { values, largest, sign, nan, infinity, negativeZero } = small;
  const limits = thresholds(small);
  const table = x.graph.constant('where codes begin', [limits.length], limits);
  const size = abs(x);
  const reached = lessEqual(table, expandDims(size, -1)); // [..., codes]
  const code = sum(reached, { keepDims: false });
  if (sign === 0) return code;
  const top = values[largest]!;
  // Halfway to the value that would come next.
  const limit = Math.fround(top + (top - values[largest - 1]!) / 2);
  const tooLarge = largest % 2 === 0 ? less(limit, size) : lessEqual(limit, size);
  const magnitude = where(tooLarge, saturate ? largest : (infinity ?? nan), code);
  const signed = where(negative, add(magnitude, sign), magnitude);
  const coded = negativeZero ? signed : where(equal(magnitude, 0), 0, where(equal(magnitude, nan), nan, signed));
  return where(equal(x, x), coded, nan);
}

export const quantizeOperators: Readonly<Record<string, Operator>> = {
  Cast: casted,
  QuantizeLinear: (node) => quantized(node, node.as('f32', 0), 1, 2),
  DequantizeLinear: dequantized,
  DynamicQuantizeLinear: dynamicallyQuantized,
};
