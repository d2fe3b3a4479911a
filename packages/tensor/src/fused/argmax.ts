// The position of the largest element.
import { apply, constant, index, input } from '../expr.ts';
import type { Tensor } from '../graph.ts';
import { pointwise } from '../ops/pointwise.ts';
import { max, min } from '../ops/reduce.ts';
import type { Definition } from './definition.ts';

/** x [..., C] → [...] i32: along the last axis, the lowest index of the largest value. */
export const argmax = (x: Tensor): Tensor => x.graph.call('argmax', [x], {}, x.shape.slice(0, -1), 'i32');

export const defineArgmax: Definition = ([x]) => {
  const axis = x!.shape.length - 1;
  const isLargest = apply('equal', input(0), input(1));
  const place = pointwise(apply('select', isLargest, index(axis), constant(x!.shape[axis]! - 1, 'i32')), [x!, max(x!)]);
  return min(place, { keepDims: false });
};
