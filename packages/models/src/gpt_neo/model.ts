// GPT-Neo (Black et al., 2021): GPT-2 with windows in some layers, scores that are not scaled, and no biases on queries, keys and
// values. Names and details as in GPTNeoForCausalLM of transformers.
import { attentionWeights, embedding, feedForward, inside, layerNorm, linear, linearWeights } from '@transept/layers';
import { add, gather } from '@transept/tensor';
import { decoderModel, vocabularyWeight } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { gptNeoConfig } from './config.ts';
import type { GptNeoConfig } from './config.ts';

export const gptNeo: Family = {
  modelType: 'gpt_neo',
  create: (config) => gptNeoModel(gptNeoConfig(config)),
};

function gptNeoModel(c: GptNeoConfig): DecoderModel {
  const { width, hidden, vocabSize, maxPositions } = c;
  return decoderModel({
    ...c,
    modelType: 'gpt_neo',
    base: 'transformer',
    blocks: 'h',
    embed: ({ ids, positions }, w) =>
      embedding(ids, w.get('wte.weight', [vocabSize, width]), {
        positions: gather(w.get('wpe.weight', [maxPositions, width]), positions),
      }),
    share: () => undefined,
    block(x, w, { index, attend }) {
      const attended = inside(w, 'attn.attention', (at) => {
        const layer = attentionWeights(at, { ...c, bias: false, outBias: true, out: 'out_proj' });
        return attend(layerNorm(x, w.at('ln_1'), c), layer, { scale: 1, window: c.windows[index] });
      });
      const h = add(x, attended);
      return inside(w, 'mlp', (at) => {
        const [up, down] = [linearWeights(at, 'c_fc', width, hidden), linearWeights(at, 'c_proj', hidden, width)];
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
