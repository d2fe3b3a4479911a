// GPT-NeoX (Black et al., arXiv:2204.06745), also Pythia: both sublayers read the block's input, each through a norm of its own;
// part of each head is rotated. Names and details as in GPTNeoXForCausalLM of transformers.
import { embedding, feedForward, inside, layerNorm, linear, linearWeights } from '@transept/layers';
import { add } from '@transept/tensor';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { gptNeoXConfig } from './config.ts';
import type { GptNeoXConfig } from './config.ts';

export const gptNeoX: Family = {
  modelType: 'gpt_neox',
  create: (config) => gptNeoXModel(gptNeoXConfig(config)),
};

function gptNeoXModel(c: GptNeoXConfig): DecoderModel {
  const { width, hidden, vocabSize, attentionBias } = c;
  return decoderModel({
    ...c,
    modelType: 'gpt_neox',
    base: 'gpt_neox',
    blocks: 'layers',
    alternatives: (name) => (name === 'embed_out.weight' ? ['lm_head.weight'] : []),
    embed: ({ ids }, w) => embedding(ids, w.get('embed_in.weight', [vocabSize, width])),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'attention', (at) => {
        const qkv = linearWeights(at, 'query_key_value', width, 3 * width, attentionBias);
        const out = linearWeights(at, 'dense', width, width, attentionBias);
        return attend(layerNorm(x, w.at('input_layernorm'), c), { ...c, qkv, order: 'groups', out }, { rotary });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const up = linearWeights(at, 'dense_h_to_4h', width, hidden);
        const down = linearWeights(at, 'dense_4h_to_h', hidden, width);
        const input = layerNorm(c.parallel ? x : h, w.at('post_attention_layernorm'), c);
        return add(h, feedForward(input, { ...c, up, down }));
      });
    },
    norm: (x, w) => layerNorm(x, w.at('final_layer_norm'), c),
    logits: (x, w) =>
      linear(x, { weight: w.get(c.tied ? 'gpt_neox.embed_in.weight' : 'embed_out.weight', [vocabSize, width]) }),
  });
}
