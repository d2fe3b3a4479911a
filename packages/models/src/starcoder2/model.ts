// StarCoder2 (Lozhkov et al., arXiv:2402.19173): grouped heads, rotary positions and a sliding window as in Mistral, LayerNorm and
// a plain feed-forward layer as in GPT-2. Details as in Starcoder2ForCausalLM of transformers.
import { attentionWeights, feedForward, inside, layerNorm, linearWeights } from '@transept/layers';
import { add } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { starcoder2Config } from './config.ts';
import type { Starcoder2Config } from './config.ts';

export const starcoder2: Family = {
  modelType: 'starcoder2',
  create: (config) => starcoder2Model(starcoder2Config(config)),
};

const starcoder2Model = (c: Starcoder2Config): DecoderModel =>
  decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: c.biases });
        return attend(layerNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.window });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const up = linearWeights(at, 'c_fc', c.width, c.hidden, c.biases);
        const down = linearWeights(at, 'c_proj', c.hidden, c.width, c.biases);
        return add(h, feedForward(layerNorm(h, w.at('post_attention_layernorm'), c), { ...c, up, down }));
      });
    },
    norm: (x, w) => layerNorm(x, w.at('norm'), c),
  });
