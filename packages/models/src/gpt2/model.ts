// GPT-2 (Radford et al., 2019): a decoder with learned positions, norms before the sublayers and after the last, and maps stored
// [in, out]. Names and details as in GPT2LMHeadModel of transformers.
import { embedding, feedForward, inside, layerNorm, linear, transposedLinearWeights } from '@transept/layers';
import { add, gather } from '@transept/tensor';
import { decoderModel, vocabularyWeight } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { gpt2Config } from './config.ts';
import type { Gpt2Config } from './config.ts';

export const gpt2: Family = {
  modelType: 'gpt2',
  create: (config) => gpt2Model(gpt2Config(config)),
};

function gpt2Model(c: Gpt2Config): DecoderModel {
  const { width, hidden, vocabSize, maxPositions, headSize } = c;
  const scale = (index: number): number => (c.scaledByHead ? headSize ** -0.5 : 1) / (c.scaledByLayer ? index + 1 : 1);
  return decoderModel({
    ...c,
    modelType: 'gpt2',
    base: 'transformer',
    blocks: 'h',
    embed: ({ ids, positions }, w) =>
      embedding(ids, w.get('wte.weight', [vocabSize, width]), {
        positions: gather(w.get('wpe.weight', [maxPositions, width]), positions),
      }),
    share: () => undefined,
    block(x, w, { index, attend }) {
      const attended = inside(w, 'attn', (at) => {
        const qkv = transposedLinearWeights(at, 'c_attn', width, 3 * width);
        const out = transposedLinearWeights(at, 'c_proj', width, width);
        return attend(layerNorm(x, w.at('ln_1'), c), { ...c, qkv, out }, { scale: scale(index) });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const up = transposedLinearWeights(at, 'c_fc', width, hidden);
        const down = transposedLinearWeights(at, 'c_proj', hidden, width);
        return add(h, feedForward(layerNorm(h, w.at('ln_2'), c), { ...c, up, down }));
      });
    },
    norm: (x, w) => layerNorm(x, w.at('ln_f'), c),
    logits: (x, w) =>
      linear(x, {
        weight: vocabularyWeight(w, { ...c, embeddings: 'transformer.wte.weight', shape: [vocabSize, width] }),
      }),
  });
}
