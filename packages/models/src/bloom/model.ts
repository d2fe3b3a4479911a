// BLOOM (Scao et al., arXiv:2211.05100): no positions but linear biases of the scores, and a norm after the embeddings. Names and
// details as in BloomForCausalLM of transformers.
import { alibiSlopes, embedding, feedForward, inside, layerNorm, linear, linearWeights } from '@transept/layers';
import { add } from '@transept/tensor';
import { decoderModel, vocabularyWeight } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { bloomConfig } from './config.ts';
import type { BloomConfig } from './config.ts';

export const bloom: Family = {
  modelType: 'bloom',
  create: (config) => bloomModel(bloomConfig(config)),
};

function bloomModel(c: BloomConfig): DecoderModel {
  const { width, vocabSize } = c;
  return decoderModel({
    ...c,
    modelType: 'bloom',
    base: 'transformer',
    blocks: 'h',
    embed: ({ ids }, w) =>
      layerNorm(
        embedding(ids, w.get('word_embeddings.weight', [vocabSize, width])),
        w.at('word_embeddings_layernorm'),
        c,
      ),
    share: (pass) => pass.alibi(alibiSlopes(c.heads)),
    block(x, w, { shared: bias, attend }) {
      const normed = layerNorm(x, w.at('input_layernorm'), c);
      const attended = inside(w, 'self_attention', (at) => {
        const qkv = linearWeights(at, 'query_key_value', width, 3 * width);
        return attend(normed, { ...c, qkv, order: 'groups', out: linearWeights(at, 'dense', width, width) }, { bias });
      });
      const h = add(c.normedResidual ? normed : x, attended);
      return inside(w, 'mlp', (at) => {
        const input = layerNorm(h, w.at('post_attention_layernorm'), c);
        const up = linearWeights(at, 'dense_h_to_4h', width, 4 * width);
        const down = linearWeights(at, 'dense_4h_to_h', 4 * width, width);
        return add(c.normedResidual ? input : h, feedForward(input, { up, down, activation: 'geluTanh' }));
      });
    },
    norm: (x, w) => layerNorm(x, w.at('ln_f'), c),
    logits: (x, w) =>
      linear(x, {
        weight: vocabularyWeight(w, {
          ...c,
          embeddings: 'transformer.word_embeddings.weight',
          shape: [vocabSize, width],
        }),
      }),
  });
}
