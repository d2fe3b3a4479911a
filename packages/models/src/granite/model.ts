// Granite 3 (IBM, 2024): Llama with multipliers in four places, after muP (Yang et al., arXiv:2203.03466). Details as in
// GraniteForCausalLM of transformers.
import { attentionWeights, embedding, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import { add, div, mul } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { graniteConfig } from './config.ts';
import type { GraniteConfig } from './config.ts';

export const granite: Family = {
  modelType: 'granite',
  create: (config) => graniteModel(graniteConfig(config)),
};

function graniteModel(c: GraniteConfig): DecoderModel {
  const common = commonParts(c);
  return decoderModel({
    ...c,
    ...common,
    embed: ({ ids }, w) =>
      embedding(ids, w.get('embed_tokens.weight', [c.vocabSize, c.width]), { scale: c.embeddingMultiplier }),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: c.attentionBias });
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, scale: c.attentionMultiplier });
      });
      const h = add(x, mul(attended, c.residualMultiplier));
      return inside(w, 'mlp', (at) => {
        const layer = gatedWeights(at, { ...c, bias: c.mlpBias });
        const fed = gatedFeedForward(rmsNorm(h, w.at('post_attention_layernorm'), c), layer);
        return add(h, mul(fed, c.residualMultiplier));
      });
    },
    logits: (x, w) => div(common.logits(x, w), c.logitsScaling),
  });
}
