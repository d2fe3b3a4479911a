// Position-wise feed-forward layers: two maps with an activation between, and the gated form (Shazeer, arXiv:2002.05202).
import { activation, mul, slice } from '@transept/tensor';
import type { Activation, Tensor } from '@transept/tensor';
import { linear } from './linear.ts';
import type { Linear } from './linear.ts';

/** x [..., C] → [..., C] through F hidden units. */
export const feedForward = (x: Tensor, layer: { up: Linear; down: Linear; activation: Activation }): Tensor =>
  linear(activation(layer.activation, linear(x, layer.up)), layer.down);

/** down(activation(gate(x)) · up(x)), with gate and up as one map [2·F, C]. */
export function gatedFeedForward(x: Tensor, layer: { gateUp: Linear; down: Linear; activation: Activation }): Tensor {
  const both = linear(x, layer.gateUp); // [..., 2·F]
  const hidden = both.shape.at(-1)! / 2;
  return linear(mul(activation(layer.activation, slice(both, -1, 0, hidden)), slice(both, -1, hidden)), layer.down);
}
