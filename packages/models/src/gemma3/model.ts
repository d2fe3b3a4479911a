// Gemma 3 (Kamath et al., arXiv:2503.19786), the text model: Gemma 2 with normed queries and keys, five layers with a window to one
// without, and angles for each kind. Details as in Gemma3ForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside } from '@transept/layers';
import { add } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { gemmaNorm, gemmaParts } from '../gemma/model.ts';
import { softCapped } from '../gemma2/model.ts';
import { gemma3Config } from './config.ts';
import type { Gemma3Config } from './config.ts';

export const gemma3: Family = {
  modelType: 'gemma3_text',
  create: (config) => gemma3Model(gemma3Config(config)),
};

/** The text model of checkpoints that see images too. */
export const gemma3WithImages: Family = {
  modelType: 'gemma3',
  create: (config) => {
    const text = config.inner('text_config') ?? config.fail('text_config', 'it is missing', 'the text model');
    return {
      ...gemma3Model(gemma3Config(text)),
      alternatives: (name) => [`language_model.${name}`, name.replace(/^model\./, 'model.language_model.')],
    };
  },
};

function gemma3Model(c: Gemma3Config): DecoderModel {
  const common = gemmaParts(c);
  return decoderModel({
    ...c,
    ...common,
    share: (pass) => ({ global: pass.rotary(c.globalRotary), local: pass.rotary(c.localRotary) }),
    block(x, w, { index, shared, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const normed = {
          query: (q: Tensor) => gemmaNorm(q, at.at('q_norm'), c),
          key: (k: Tensor) => gemmaNorm(k, at.at('k_norm'), c),
        };
        const layer = { ...attentionWeights(at, { ...c, bias: c.attentionBias }), normed };
        const window = c.windows[index];
        const rotary = window === undefined ? shared.global : shared.local;
        const scoring = { scale: c.scale, window };
        return attend(gemmaNorm(x, w.at('input_layernorm'), c), layer, { rotary, ...scoring });
      });
      const h = add(x, gemmaNorm(attended, w.at('post_attention_layernorm'), c));
      const fed = inside(w, 'mlp', (at) =>
        gatedFeedForward(gemmaNorm(h, w.at('pre_feedforward_layernorm'), c), gatedWeights(at, c)),
      );
      return add(h, gemmaNorm(fed, w.at('post_feedforward_layernorm'), c));
    },
    logits: (x, w) => softCapped(common.logits(x, w), c.logitCap),
  });
}
