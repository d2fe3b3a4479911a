// Qwen3-MoE (Yang et al., arXiv:2505.09388): Qwen3 with mixtures of many small experts in some or all layers. Details as in
// Qwen3MoeForCausalLM of transformers.
import {
  attentionWeights,
  expertWeights,
  gatedFeedForward,
  gatedWeights,
  inside,
  linearWeights,
  mixtureOfExperts,
  rmsNorm,
} from '@transept/layers';
import { add } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { qwen3MoeConfig } from './config.ts';
import type { Qwen3MoeConfig } from './config.ts';

export const qwen3Moe: Family = {
  modelType: 'qwen3_moe',
  create: (config) => qwen3MoeModel(qwen3MoeConfig(config)),
};

function qwen3MoeModel(c: Qwen3MoeConfig): DecoderModel {
  const names = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };
  const stored = { count: c.experts, width: c.width, hidden: c.expertHidden, ...names };
  return decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { index, shared: rotary, attend, onRouted }) {
      const attended = inside(w, 'self_attn', (at) => {
        const normed = {
          query: (q: Tensor) => rmsNorm(q, at.at('q_norm'), c),
          key: (k: Tensor) => rmsNorm(k, at.at('k_norm'), c),
        };
        const layer = { ...attentionWeights(at, { ...c, bias: c.attentionBias }), normed };
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.window });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const input = rmsNorm(h, w.at('post_attention_layernorm'), c);
        if (!c.sparse[index]) return add(h, gatedFeedForward(input, gatedWeights(at, c)));
        const router = linearWeights(at, 'gate', c.width, c.experts, false);
        return add(h, mixtureOfExperts(input, { ...c, ...expertWeights(at.at('experts'), stored), router, onRouted }));
      });
    },
  });
}
