// The maps of an attention layer, and of feed-forward layers, under the names that most families of decoders give them.
import type { Activation } from '@transept/tensor';
import type { Heads, SelfAttentionLayer } from './attention.ts';
import { linearWeights, mergedLinearWeights } from './linear.ts';
import type { Linear } from './linear.ts';
import type { Weights } from './weights.ts';

export interface ProjectionOptions extends Heads {
  /** C */
  readonly width: number;
  /** Have queries, keys and values a bias? Default: yes. */
  readonly bias?: boolean;
  /** Has the output? Default: as `bias`. */
  readonly outBias?: boolean;
  /** Name of the output map. Default: `o_proj`. */
  readonly out?: string;
}

/** `q_proj`, `k_proj`, `v_proj` and an output map. */
export function attentionWeights(w: Weights, options: ProjectionOptions): SelfAttentionLayer {
  const { heads, keyValueHeads, headSize, width, bias = true, outBias = bias, out = 'o_proj' } = options;
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
  return {
    heads,
    keyValueHeads,
    headSize,
    qkv: mergedLinearWeights(w, ['q_proj', 'k_proj', 'v_proj'], width, [queries, keys, keys], bias),
    out: linearWeights(w, out, queries, width, outBias),
  };
}

/** `gate_proj`, `up_proj` and `down_proj` of a gated feed-forward layer. */
export function gatedWeights(
  w: Weights,
  {
    width,
    hidden,
    bias = false,
    activation,
  }: { width: number; hidden: number; bias?: boolean; activation: Activation },
): { gateUp: Linear; down: Linear; activation: Activation } {
  return {
    gateUp: mergedLinearWeights(w, ['gate_proj', 'up_proj'], width, [hidden, hidden], bias),
    down: linearWeights(w, 'down_proj', hidden, width, bias),
    activation,
  };
}
