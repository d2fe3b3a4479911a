// Mistral (Jiang et al., arXiv:2310.06825): Llama with attention to a sliding window. Details as in MistralForCausalLM.
import { attentionWeights, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import { add } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { mistralConfig } from './config.ts';
import type { MistralConfig } from './config.ts';

export const mistral: Family = {
  modelType: 'mistral',
  create: (config) => mistralModel(mistralConfig(config)),
};

const mistralModel = (c: MistralConfig): DecoderModel =>
  decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: false });
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.window });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) =>
        add(h, gatedFeedForward(rmsNorm(h, w.at('post_attention_layernorm'), c), gatedWeights(at, c))),
      );
    },
  });
