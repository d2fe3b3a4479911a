// Normalisation with weights by name.
import { layerNorm as normalize, rmsNorm as normalizeRms } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { Weights } from './weights.ts';

/** Layer normalisation of x [..., C] with `weight` and `bias`, or the names given; without a bias where `shift` is false. */
export function layerNorm(
  x: Tensor,
  w: Weights,
  { eps, scale = 'weight', shift = 'bias' }: { eps: number; scale?: string; shift?: string | false },
): Tensor {
  const width = x.shape.at(-1)!;
  const weight = w.get(scale, [width]);
  const bias =
    shift === false ? w.graph.constant(`zeros.${width}`, [width], new Float32Array(width)) : w.get(shift, [width]);
  return normalize(x, weight, bias, eps);
}

/** Root mean square normalisation of x [..., C] with `weight`, or with `weight` + `plus` where that is how it is stored. */
export const rmsNorm = (x: Tensor, w: Weights, { eps, plus = 0 }: { eps: number; plus?: number }): Tensor =>
  normalizeRms(x, w.get('weight', [x.shape.at(-1)!], { plus }), eps);

/** Layer normalisation of x [..., C] without weights. */
export function plainLayerNorm(x: Tensor, { eps }: { eps: number }): Tensor {
  const width = x.shape.at(-1)!;
  const all = (value: number): Tensor =>
    x.graph.constant(`${value}.${width}`, [width], new Float32Array(width).fill(value));
  return normalize(x, all(1), all(0), eps);
}
