// Normalisation with weights by name.
import { layerNorm as normalize, rmsNorm as normalizeRms } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { Weights } from './weights.ts';

/** Layer normalisation of x [..., C] with `NAME.weight` and `NAME.bias`, or the names given. */
export const layerNorm = (
  x: Tensor,
  w: Weights,
  { eps, scale = 'weight', shift = 'bias' }: { eps: number; scale?: string; shift?: string },
): Tensor => normalize(x, w.get(scale, [x.shape.at(-1)!]), w.get(shift, [x.shape.at(-1)!]), eps);

/** Root mean square normalisation of x [..., C] with `weight`. */
export const rmsNorm = (x: Tensor, w: Weights, { eps }: { eps: number }): Tensor =>
  normalizeRms(x, w.get('weight', [x.shape.at(-1)!]), eps);
