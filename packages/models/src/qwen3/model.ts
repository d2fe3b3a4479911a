// Qwen3 (Yang et al., arXiv:2505.09388): Qwen2 with a norm over each head of queries and keys in place of their biases.
// Details as in Qwen3ForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import { add } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { qwen3Config } from './config.ts';
import type { Qwen3Config } from './config.ts';

export const qwen3: Family = {
  modelType: 'qwen3',
  create: (config) => qwen3Model(qwen3Config(config)),
};

const qwen3Model = (c: Qwen3Config): DecoderModel =>
  decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { index, shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const normed = {
          query: (q: Tensor) => rmsNorm(q, at.at('q_norm'), c),
          key: (k: Tensor) => rmsNorm(k, at.at('k_norm'), c),
        };
        const layer = { ...attentionWeights(at, { ...c, bias: c.attentionBias }), normed };
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.windows[index] });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) =>
        add(h, gatedFeedForward(rmsNorm(h, w.at('post_attention_layernorm'), c), gatedWeights(at, c))),
      );
    },
  });
