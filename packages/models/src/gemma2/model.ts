// Gemma 2 (Rivière et al., arXiv:2408.00118): norms before and after each sublayer, windows in every other layer, and soft caps on
// scores and logits. Details as in Gemma2ForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside } from '@transept/layers';
import { add, div, mul, tanh } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { gemmaNorm, gemmaParts } from '../gemma/model.ts';
import { gemma2Config } from './config.ts';
import type { Gemma2Config } from './config.ts';

export const gemma2: Family = {
  modelType: 'gemma2',
  create: (config) => gemma2Model(gemma2Config(config)),
};

/** c·tanh(x / c), or x where there is no cap. */
export const softCapped = (x: Tensor, cap: number | undefined): Tensor =>
  cap === undefined ? x : mul(tanh(div(x, cap)), cap);

function gemma2Model(c: Gemma2Config): DecoderModel {
  const common = gemmaParts(c);
  return decoderModel({
    ...c,
    ...common,
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { index, shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: c.attentionBias });
        const scoring = { scale: c.scale, softcap: c.scoreCap, window: c.windows[index] };
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
