// SmolLM3 (Hugging Face, 2025): Llama without rotation in some layers (Yang et al., arXiv:2501.18795). Details as in
// SmolLM3ForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import { add } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { smollm3Config } from './config.ts';
import type { SmolLM3Config } from './config.ts';

export const smollm3: Family = {
  modelType: 'smollm3',
  create: (config) => smollm3Model(smollm3Config(config)),
};

const smollm3Model = (c: SmolLM3Config): DecoderModel =>
  decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { index, shared, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: c.attentionBias });
        const rotary = c.rotated[index] ? shared : undefined;
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.windows[index] });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const layer = gatedWeights(at, { ...c, bias: c.mlpBias });
        return add(h, gatedFeedForward(rmsNorm(h, w.at('post_attention_layernorm'), c), layer));
      });
    },
  });
