// StableLM 2 (Bellagente et al., arXiv:2402.17834): Llama with LayerNorm and part of each head rotated; in the 12B, parallel
// sublayers and a norm for every head. Details as in StableLmForCausalLM of transformers.
import { attentionWeights, gatedFeedForward, gatedWeights, inside, layerNorm, plainLayerNorm } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, mul, reshape } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { stablelmConfig } from './config.ts';
import type { StableLmConfig } from './config.ts';

export const stablelm: Family = {
  modelType: 'stablelm',
  create: (config) => stablelmModel(stablelmConfig(config)),
};

function stablelmModel(c: StableLmConfig): DecoderModel {
  /** LayerNorm without bias over x [B, T, heads, D], with weights for each head. */
  const perHead =
    (w: Weights) =>
    (x: Tensor): Tensor => {
      const [heads, size] = x.shape.slice(2) as [number, number];
      const each = Array.from({ length: heads }, (_, h) => h);
      const all = w.merged(
        each.map((h) => `${h}.weight`),
        each.map(() => [size]),
        { as: '{all}.weight' },
      );
      return mul(plainLayerNorm(x, c), reshape(all, [heads, size]));
    };
  return decoderModel({
    ...c,
    ...commonParts(c),
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const normed = layerNorm(x, w.at('input_layernorm'), c);
      const attended = inside(w, 'self_attn', (at) => {
        const layer = attentionWeights(at, { ...c, bias: c.biases, outBias: false });
        const norms = { query: perHead(at.at('q_layernorm.norms')), key: perHead(at.at('k_layernorm.norms')) };
        return attend(normed, { ...layer, normed: c.headNorms ? norms : undefined }, { rotary });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const input = c.parallel ? normed : layerNorm(h, w.at('post_attention_layernorm'), c);
        return add(h, gatedFeedForward(input, gatedWeights(at, c)));
      });
    },
    norm: (x, w) => layerNorm(x, w.at('norm'), c),
  });
}
