// Qwen2 (Yang et al., arXiv:2407.10671): Llama with biases on queries, keys and values, and perhaps windows in upper layers.
// Details as in Qwen2ForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import { add } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { qwen2Config } from './config.ts';
import type { Qwen2Config } from './config.ts';

export const qwen2: Family = {
  modelType: 'qwen2',
  create: (config) => qwen2Model(qwen2Config(config)),
};

const qwen2Model = (c: Qwen2Config): DecoderModel =>
  decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { index, shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: true, outBias: false });
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.windows[index] });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) =>
        add(h, gatedFeedForward(rmsNorm(h, w.at('post_attention_layernorm'), c), gatedWeights(at, c))),
      );
    },
  });
