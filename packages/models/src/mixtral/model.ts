// Mixtral (Jiang et al., arXiv:2401.04088): Mistral with a mixture of experts in place of each feed-forward layer. Details as in
// MixtralForCausalLM of transformers.
import { attentionWeights, expertWeights, inside, linearWeights, mixtureOfExperts, rmsNorm } from '@transept/layers';
import { add } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { mixtralConfig } from './config.ts';
import type { MixtralConfig } from './config.ts';

export const mixtral: Family = {
  modelType: 'mixtral',
  create: (config) => mixtralModel(mixtralConfig(config)),
};

function mixtralModel(c: MixtralConfig): DecoderModel {
  const stored = { count: c.experts, width: c.width, hidden: c.hidden, gate: 'w1', up: 'w3', down: 'w2' };
  return decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend, onRouted }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: false });
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.window });
      });
      const h = add(x, attended);
      return inside(w, 'block_sparse_moe', (at) => {
        const router = linearWeights(at, 'gate', c.width, c.experts, false);
        const layer = { ...c, ...expertWeights(at.at('experts'), stored), router, onRouted, renormalize: true };
        return add(h, mixtureOfExperts(rmsNorm(h, w.at('post_attention_layernorm'), c), layer));
      });
    },
  });
}
