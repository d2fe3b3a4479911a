// Affine maps: a weight stored [out, in] as in torch.nn.Linear, and perhaps a bias.
import { add, linear as product } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { Weights } from './weights.ts';

export interface Linear {
  readonly weight: Tensor; // [N, K]
  readonly bias?: Tensor; // [N]
}

/** x [..., K] → [..., N]. */
export const linear = (x: Tensor, { weight, bias }: Linear): Tensor =>
  bias ? add(product(x, weight), bias) : product(x, weight);

/** `NAME.weight` [outputs, inputs] and `NAME.bias` [outputs]. */
export const linearWeights = (w: Weights, name: string, inputs: number, outputs: number, bias = true): Linear => ({
  weight: w.get(`${name}.weight`, [outputs, inputs]),
  ...(bias ? { bias: w.get(`${name}.bias`, [outputs]) } : {}),
});

/** The same where checkpoints have the weight as [inputs, outputs], as GPT-2's Conv1D; it is exchanged as it is loaded. */
export const transposedLinearWeights = (w: Weights, name: string, inputs: number, outputs: number): Linear => ({
  weight: w.get(`${name}.weight`, [outputs, inputs], { transposed: true }),
  bias: w.get(`${name}.bias`, [outputs]),
});

/** Several linear maps of one input as one: their outputs lie one after the other. All may have a bias, none, or all but some. */
export const mergedLinearWeights = (
  w: Weights,
  names: readonly string[],
  inputs: number,
  outputs: readonly number[],
  bias: boolean | { readonly but: readonly string[] } = true,
): Linear => ({
  weight: w.merged(
    names.map((n) => `${n}.weight`),
    outputs.map((n) => [n, inputs]),
  ),
  ...(bias !== false && {
    bias: w.merged(
      names.map((n) => `${n}.bias`),
      outputs.map((n) => [n]),
      bias === true ? {} : { optional: bias.but.map((n) => `${n}.bias`) },
    ),
  }),
});
