// Phi (Li et al., arXiv:2309.05463): one LayerNorm a block, read by attention and feed-forward layer alike, part of each head
// rotated, biases everywhere. Details as in PhiForCausalLM of transformers.
import { attentionWeights, feedForward, inside, layerNorm, linear, linearWeights } from '@transept/layers';
import { add } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { phiConfig } from './config.ts';
import type { PhiConfig } from './config.ts';

export const phi: Family = {
  modelType: 'phi',
  create: (config) => phiModel(phiConfig(config)),
};

function phiModel(c: PhiConfig): DecoderModel {
  const { width, hidden, vocabSize } = c;
  return decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const normed = layerNorm(x, w.at('input_layernorm'), c);
      const attended = inside(w, 'self_attn', (at) => {
        const norms = {
          query: (q: Tensor) => layerNorm(q, at.at('q_layernorm'), c),
          key: (k: Tensor) => layerNorm(k, at.at('k_layernorm'), c),
        };
        const layer = attentionWeights(at, { ...c, out: 'dense' });
        return attend(normed, { ...layer, normed: c.headNorms ? norms : undefined }, { rotary });
      });
      const fed = inside(w, 'mlp', (at) => {
        const [up, down] = [linearWeights(at, 'fc1', width, hidden), linearWeights(at, 'fc2', hidden, width)];
        return feedForward(normed, { ...c, up, down });
      });
      return add(add(attended, fed), x);
    },
    norm: (x, w) => layerNorm(x, w.at('final_layernorm'), c),
    logits(x, w) {
      const weight = w.get(c.tied ? 'model.embed_tokens.weight' : 'lm_head.weight', [vocabSize, width]);
      return linear(x, { weight, bias: w.get('lm_head.bias', [vocabSize]) });
    },
  });
}
