// Phi-3 (Abdin et al., arXiv:2404.14219): Llama with merged weights, perhaps part of each head rotated, and LongRoPE. Details as in
// Phi3ForCausalLM of transformers.
import { gatedFeedForward, inside, linearWeights, rmsNorm } from '@transept/layers';
import { add } from '@transept/tensor';
import { commonParts } from '../decoder/common.ts';
import { decoderModel } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { phi3Config } from './config.ts';
import type { Phi3Config } from './config.ts';

export const phi3: Family = {
  modelType: 'phi3',
  create: (config) => phi3Model(phi3Config(config)),
};

function phi3Model(c: Phi3Config): DecoderModel {
  const { width, hidden, heads, keyValueHeads, headSize } = c;
  const scaling = c.rotary.scaling;
  return decoderModel({
    ...c,
    ...commonParts(c),
    // Beyond the original context all keys have to be turned by the long factors.
    decodeAnewAt: scaling?.kind === 'longrope' ? scaling.original : undefined,
    share: (pass) => pass.rotary(c.rotary),
    block(x, w, { shared: rotary, attend }) {
      const attended = inside(w, 'self_attn', (at) => {
        const layer = {
          ...c,
          qkv: linearWeights(at, 'qkv_proj', width, (heads + 2 * keyValueHeads) * headSize, false),
          out: linearWeights(at, 'o_proj', heads * headSize, width, false),
        };
        return attend(rmsNorm(x, w.at('input_layernorm'), c), layer, { rotary, window: c.window });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const layer = {
          ...c,
          gateUp: linearWeights(at, 'gate_up_proj', width, 2 * hidden, false),
          down: linearWeights(at, 'down_proj', hidden, width, false),
        };
        return add(h, gatedFeedForward(rmsNorm(h, w.at('post_attention_layernorm'), c), layer));
      });
    },
  });
}
