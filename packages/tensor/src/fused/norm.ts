// Layer normalisation (Ba et al., arXiv:1607.06450) and root mean square normalisation (Zhang & Sennrich, arXiv:1910.07467).
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../graph.ts';
import { add, mul, rsqrt, sub } from '../ops/pointwise.ts';
import { mean } from '../ops/reduce.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Definition } from './definition.ts';

/** x [..., C], weight [C], bias [C] → [..., C]. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor {
  width('layerNorm', x, weight, bias);
  return x.graph.call('layerNorm', [x, weight, bias], { eps }, x.shape, 'f32');
}

/** x [..., C], weight [C] → [..., C]. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  width('rmsNorm', x, weight);
  return x.graph.call('rmsNorm', [x, weight], { eps }, x.shape, 'f32');
}

export const defineLayerNorm: Definition = ([x, weight, bias], { eps }) => {
  const centred = sub(x!, mean(x!));
  const variance = mean(mul(centred, centred));
  return add(mul(mul(centred, rsqrt(add(variance, eps as number))), weight!), bias!);
};

export const defineRmsNorm: Definition = ([x, weight], { eps }) =>
  mul(mul(x!, rsqrt(add(mean(mul(x!, x!)), eps as number))), weight!);

function width(op: string, x: Tensor, ...weights: Tensor[]): void {
  for (const w of weights)
    if (!sameShape(w.shape, x.shape.slice(-1)))
      throw new ShapeError(
        `${op}: x is ${formatShape(x.shape)}, a weight is ${formatShape(w.shape)}; it must be [${x.shape.at(-1)}]`,
      );
}
