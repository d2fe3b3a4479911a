// Marian (Junczys-Dowmunt et al., 2018), the encoder-decoder of "Attention Is All You Need" (arXiv:1706.03762): each sublayer
// is followed by add & norm, positions are sinusoidal, and one matrix embeds the source, the target and the output.
// Names and details as in MarianMTModel of transformers.
import { embedding, linear, positionRows, sinusoidalPositions } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { reshape } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';
import { sharedNames } from '../encoder-decoder/embeddings.ts';
import { encoderDecoderModel } from '../encoder-decoder/model.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';
import { marianConfig } from './config.ts';
import type { MarianConfig } from './config.ts';

export const marian: Family = {
  modelType: 'marian',
  create: (config) => marianModel(marianConfig(config)),
};

function marianModel(config: MarianConfig): EncoderDecoderModel {
  const { width, vocabSize, decoderVocabSize, maxPositions } = config;

  const table = (w: Weights, stack: 'encoder' | 'decoder'): Tensor => {
    if (config.sharedEmbeddings && config.tiedOutput) return w.get('model.shared.weight', [vocabSize, width]);
    return w.get(`model.${stack}.embed_tokens.weight`, [stack === 'encoder' ? vocabSize : decoderVocabSize, width]);
  };

  const embed = (w: Weights, stack: 'encoder' | 'decoder', ids: Tensor, start: number | ScalarRef): Tensor => {
    const positions = sinusoidalPositions(w.graph, 'positions', { positions: maxPositions, width, layout: 'halves' });
    return embedding(ids, table(w, stack), {
      scale: config.embeddingScale,
      positions: positionRows(positions, start, ids.shape[1]!),
    });
  };

  return encoderDecoderModel({
    ...config,
    modelType: 'marian',
    norms: 'after',
    vocabSize: decoderVocabSize,
    sourceVocabSize: vocabSize,
    maxSourcePositions: maxPositions,
    alternatives: sharedNames,
    embedSource: (w, { ids }) => embed(w, 'encoder', ids, 0),
    embedTarget: (w, ids, start) => embed(w, 'decoder', ids, start),
    logits(w, x) {
      const weight = config.tiedOutput ? table(w, 'decoder') : w.get('lm_head.weight', [decoderVocabSize, width]);
      const bias = w.get('final_logits_bias', [1, decoderVocabSize], { optional: true });
      return linear(x, { weight, bias: reshape(bias, [decoderVocabSize]) });
    },
  });
}
