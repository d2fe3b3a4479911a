// Softmax and its logarithm over the last axis, with the largest value subtracted first.
import type { Tensor } from '../graph.ts';
import { div, exp, log, sub } from '../ops/pointwise.ts';
import { max, sum } from '../ops/reduce.ts';
import type { Definition } from './definition.ts';

/** x [..., C] → probabilities [..., C]. */
export const softmax = (x: Tensor): Tensor => x.graph.call('softmax', [x], {}, x.shape, 'f32');

/** x [..., C] → log-probabilities [..., C]. */
export const logSoftmax = (x: Tensor): Tensor => x.graph.call('logSoftmax', [x], {}, x.shape, 'f32');

export const defineSoftmax: Definition = ([x]) => {
  const e = exp(sub(x!, max(x!)));
  return div(e, sum(e));
};

export const defineLogSoftmax: Definition = ([x]) => {
  const shifted = sub(x!, max(x!));
  return sub(shifted, log(sum(exp(shifted))));
};
