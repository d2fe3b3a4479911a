// Llama (Touvron et al., arXiv:2302.13971): a decoder whose sublayers read a normed copy of the residual stream, with RMSNorm,
// rotary positions, grouped heads and SwiGLU. Names and details as in LlamaForCausalLM of transformers.
import { embedding, gatedFeedForward, linear, linearWeights, mergedLinearWeights, rmsNorm, rotary, selfAttention, weights } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, expr, slice, pointwise } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';
import type { DecoderModel, Family } from '../family.ts';
import { llamaConfig } from './config.ts';
import type { LlamaConfig } from './config.ts';

export const llama: Family = {
  modelType: 'llama',
  create: (config) => llamaModel(llamaConfig(config)),
};

function llamaModel(config: LlamaConfig): DecoderModel {
  const { width, hidden, layers, heads, keyValueHeads, headSize, vocabSize, maxPositions, eps } = config;
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];

  const attentionWeights = (w: Weights) => ({
    heads,
    keyValueHeads,
    headSize,
    qkv: mergedLinearWeights(w, ['q_proj', 'k_proj', 'v_proj'], width, [queries, keys, keys], config.attentionBias),
    out: linearWeights(w, 'o_proj', queries, width, config.attentionBias),
  });

  const feed = (w: Weights, x: Tensor): Tensor =>
    gatedFeedForward(x, {
      gateUp: mergedLinearWeights(w, ['gate_proj', 'up_proj'], width, [hidden, hidden], config.mlpBias),
      down: linearWeights(w, 'down_proj', hidden, width, config.mlpBias),
      activation: config.activation,
    });

  return {
    kind: 'decoder',
    modelType: 'llama',
    vocabSize,
    maxPositions,
    decoderLayers: layers,
    cacheShape: (rows, positions) => [rows, positions, 2 * keys],

    decode: (g, { ids, mask, positions, start = 0, caches, lastOnly }, taps) => {
      const root = weights(g);
      const w = root.at('model');
      const table = w.get('embed_tokens.weight', [vocabSize, width]);
      let x = g.scope('embeddings', () => embedding(ids, table)); // [B, T, C]
      const angles = g.scope('rotary', () =>
        rotary(g, positions ?? countFrom(ids, start), { positions: maxPositions, size: headSize, theta: config.theta }),
      );
      taps?.hiddenState?.('decoder', x);
      for (let i = 0; i < layers; i++)
        g.scope(`layers.${i}`, () => {
          const at = w.at(`layers.${i}`);
          const attended = g.scope('self_attn', () =>
            selfAttention(rmsNorm(x, at.at('input_layernorm'), { eps }), attentionWeights(at.at('self_attn')), {
              causal: true,
              start,
              rotary: angles,
              ...(mask && { mask }),
              ...(caches && { cache: caches[i]! }),
              onWeights: taps?.attention && ((a) => taps.attention!('decoder', a)),
            }),
          );
          x = add(x, attended);
          x = g.scope('mlp', () => add(x, feed(at.at('mlp'), rmsNorm(x, at.at('post_attention_layernorm'), { eps }))));
          if (i < layers - 1) taps?.hiddenState?.('decoder', x);
        });
      return g.scope('logits', () => {
        const last = rmsNorm(lastOnly ? slice(x, 1, -1) : x, w.at('norm'), { eps });
        taps?.hiddenState?.('decoder', last);
        const weight = config.tiedOutput ? table : root.get('lm_head.weight', [vocabSize, width]);
        return linear(last, { weight });
      });
    },
  };
}

/** Positions start, start + 1, … of ids [B, T]: i32 [B, T]. */
function countFrom(ids: Tensor, start: number | ScalarRef): Tensor {
  const first: expr.Expr = typeof start === 'number' ? expr.constant(start, 'i32') : { kind: 'scalar', scalar: start.scalar };
  return pointwise(expr.apply('add', first, expr.index(1)), [ids]);
}
