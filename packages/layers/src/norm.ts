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

/** Root mean square normalisation of x [..., C] with `weight`, or with `weight` + `plus` where that is how it is stored. */
export const rmsNorm = (x: Tensor, w: Weights, { eps, plus = 0 }: { eps: number; plus?: number }): Tensor =>
  normalizeRms(x, w.get('weight', [x.shape.at(-1)!], { plus }), eps);
