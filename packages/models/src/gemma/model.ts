// Gemma (Mesnard et al., arXiv:2403.08295): Llama with large heads, embeddings scaled by the root of the width, and norms whose
// weights are stored as what they differ from 1 by. Details as in GemmaForCausalLM of transformers.
import { attentionWeights, embedding, gatedFeedForward, gatedWeights, inside, rmsNorm } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { gemmaConfig } from './config.ts';
import type { GemmaConfig } from './config.ts';

export const gemma: Family = {
  modelType: 'gemma',
  create: (config) => gemmaModel(gemmaConfig(config)),
};

/** RMSNorm with 1 + weight. */
export const gemmaNorm = (x: Tensor, w: Weights, { eps }: { eps: number }): Tensor => rmsNorm(x, w, { eps, plus: 1 });

/** Everything but the blocks, of all Gemmas. */
export const gemmaParts = (c: CommonConfig): ReturnType<typeof commonParts> => ({
  ...commonParts(c),
  embed: ({ ids }, w) =>
    embedding(ids, w.get('embed_tokens.weight', [c.vocabSize, c.width]), { scale: Math.sqrt(c.width) }),
  norm: (x, w) => gemmaNorm(x, w.at('norm'), c),
});

const gemmaModel = (c: GemmaConfig): DecoderModel =>
  decoderModel({
    ...c,
    ...gemmaParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: c.attentionBias });
        return attend(gemmaNorm(x, w.at('input_layernorm'), c), layer, { rotary });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) =>
        add(h, gatedFeedForward(gemmaNorm(h, w.at('post_attention_layernorm'), c), gatedWeights(at, c))),
      );
    },
  });
