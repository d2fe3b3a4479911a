// OLMo 2 (OLMo team, arXiv:2501.00656): the outputs of sublayers are normed instead of their inputs, and queries and keys are
// normed over all heads together. Details as in Olmo2ForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, reshape } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { olmo2Config } from './config.ts';
import type { Olmo2Config } from './config.ts';

export const olmo2: Family = {
  modelType: 'olmo2',
  create: (config) => olmo2Model(olmo2Config(config)),
};

function olmo2Model(c: Olmo2Config): DecoderModel {
  const overHeads =
    (w: Weights) =>
    (x: Tensor): Tensor =>
      reshape(rmsNorm(reshape(x, [...x.shape.slice(0, 2), -1]), w, c), x.shape);
  return decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const normed = { query: overHeads(at.at('q_norm')), key: overHeads(at.at('k_norm')) };
        return attend(x, { ...attentionWeights(at, { ...c, bias: c.attentionBias }), normed }, { rotary });
      });
      const h = add(x, rmsNorm(attended, w.at('post_attention_layernorm'), c));
      const fed = inside(w, 'mlp', (at) => gatedFeedForward(h, gatedWeights(at, c)));
      return add(h, rmsNorm(fed, w.at('post_feedforward_layernorm'), c));
    },
  });
}
