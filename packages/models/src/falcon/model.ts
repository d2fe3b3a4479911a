// Falcon (Almazrouei et al., arXiv:2311.16867): sublayers side by side, keys and values shared by all heads or by groups of them;
// RefinedWeb models have linear biases and sublayers one after the other. Details as in FalconForCausalLM of transformers.
import { alibiSlopes, embedding, feedForward, inside, layerNorm, linear, linearWeights } from '@transept/layers';
import type { Rotary } from '@transept/layers';
import { add, mul } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { decoderModel, vocabularyWeight } from '../decoder/model.ts';
import type { Pass } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { falconConfig } from './config.ts';
import type { FalconConfig } from './config.ts';

export const falcon: Family = {
  modelType: 'falcon',
  create: (config) => falconModel(falconConfig(config)),
};

function falconModel(c: FalconConfig): DecoderModel {
  const { width, hidden, heads, keyValueHeads, headSize, vocabSize, biases } = c;
  return decoderModel({
    ...c,
    modelType: 'falcon',
    base: 'transformer',
    blocks: 'h',
    embed: ({ ids }, w) => embedding(ids, w.get('word_embeddings.weight', [vocabSize, width])),
    share: (pass): { rotary?: Rotary; bias?: Tensor } =>
      c.rotary ? { rotary: pass.rotary(c.rotary) } : { bias: linearBias(pass) },
    block(x, w, { shared, attend }) {
      const normed = layerNorm(x, w.at(c.ownNorms ? 'ln_attn' : 'input_layernorm'), c);
      const attended = inside(w, 'self_attention', (at) => {
        const qkv = linearWeights(at, 'query_key_value', width, (heads + 2 * keyValueHeads) * headSize, biases);
        const out = linearWeights(at, 'dense', width, width, biases);
        return attend(normed, { ...c, qkv, order: 'groups', out }, shared);
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const up = linearWeights(at, 'dense_h_to_4h', width, hidden, biases);
        const down = linearWeights(at, 'dense_4h_to_h', hidden, width, biases);
        const input = c.ownNorms
          ? layerNorm(x, w.at('ln_mlp'), c)
          : c.parallel
            ? normed
            : layerNorm(h, w.at('post_attention_layernorm'), c);
        return add(h, feedForward(input, { ...c, up, down }));
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

  /** Biases are scaled with the scores, and their slopes have the precision of bfloat16. */
  function linearBias(pass: Pass): Tensor {
    return mul(pass.alibi(alibiSlopes(heads).map(bfloat16)), c.biasCount * headSize ** -0.5);
  }
}

/** A number rounded to bfloat16, halves to even. */
function bfloat16(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  const odd = (bits[0]! >>> 16) & 1;
  bits[0] = (bits[0]! + 0x7fff + odd) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}
