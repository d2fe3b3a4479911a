// Llama (Touvron et al., arXiv:2302.13971): a decoder whose sublayers read a normed copy of the residual stream, with RMSNorm,
// rotary positions, grouped heads and SwiGLU. Names and details as in LlamaForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import { add } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { llamaConfig } from './config.ts';
import type { LlamaConfig } from './config.ts';

export const llama: Family = {
  modelType: 'llama',
  create: (config) => llamaModel(llamaConfig(config)),
};

const llamaModel = (c: LlamaConfig): DecoderModel =>
  decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: c.attentionBias });
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const layer = gatedWeights(at, { ...c, bias: c.mlpBias });
        return add(h, gatedFeedForward(rmsNorm(h, w.at('post_attention_layernorm'), c), layer));
      });
    },
  });
