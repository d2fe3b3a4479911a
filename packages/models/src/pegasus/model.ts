// Pegasus (Zhang et al., arXiv:1912.08777): an encoder-decoder with sinusoidal positions and norms before the sublayers, pretrained
// to write the gaps of a text. Names and details as in PegasusForConditionalGeneration of transformers.
import { embedding, positionRows, sinusoidalPositions } from '@transept/layers';
import type { Weights } from '@transept/layers';
import type { ScalarRef, Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { encoderDecoderConfig, onlyArchitectures } from '../encoder-decoder/config.ts';
import { sharedLogits, sharedNames, tokenTable } from '../encoder-decoder/embeddings.ts';
import { encoderDecoderModel } from '../encoder-decoder/model.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';

export const pegasus: Family = {
  modelType: 'pegasus',
  create: pegasusModel,
};

function pegasusModel(reader: ConfigReader): EncoderDecoderModel {
  onlyArchitectures(reader, 'PegasusForConditionalGeneration', 'PegasusModel');
  const config = encoderDecoderConfig(reader, {
    width: 1024,
    layers: 12,
    heads: 16,
    hidden: 4096,
    activation: 'gelu',
    vocabSize: 50265,
    maxPositions: 1024,
  });
  const { width, vocabSize, maxPositions } = config;

  const embed = (w: Weights, stack: 'encoder' | 'decoder', ids: Tensor, start: number | ScalarRef): Tensor => {
    const table = sinusoidalPositions(w.graph, 'positions', { positions: maxPositions, width, layout: 'halves' });
    return embedding(ids, tokenTable(w, stack, config), {
      scale: config.embeddingScale,
      positions: positionRows(table, start, ids.shape[1]!),
    });
  };

  return encoderDecoderModel({
    ...config,
    modelType: 'pegasus',
    norms: 'before',
    sourceVocabSize: vocabSize,
    maxSourcePositions: maxPositions,
    alternatives: sharedNames,
    embedSource: (w, { ids }) => embed(w, 'encoder', ids, 0),
    embedTarget: (w, ids, start) => embed(w, 'decoder', ids, start),
    logits: (w, x) => sharedLogits(w, x, config, { bias: true }),
  });
}
