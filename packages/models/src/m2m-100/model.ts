// M2M-100 (Fan et al., arXiv:2010.11125), also the architecture of NLLB-200: an encoder-decoder with norms before the sublayers and
// sinusoidal positions that count real tokens only. Names and details as in M2M100ForConditionalGeneration of transformers.
import { embedding, sinusoidalTable, tokenPositions } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { gather } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { encoderDecoderConfig, onlyArchitectures } from '../encoder-decoder/config.ts';
import { sharedLogits, sharedNames, tokenTable } from '../encoder-decoder/embeddings.ts';
import { encoderDecoderModel } from '../encoder-decoder/model.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';

export const m2m100: Family = {
  modelType: 'm2m_100',
  create: m2m100Model,
};

function m2m100Model(reader: ConfigReader): EncoderDecoderModel {
  onlyArchitectures(reader, 'M2M100ForConditionalGeneration', 'M2M100Model');
  const config = encoderDecoderConfig(reader, {
    width: 1024,
    layers: 12,
    heads: 16,
    hidden: 4096,
    activation: 'relu',
    vocabSize: 128112,
    maxPositions: 1024,
    scaled: true,
  });
  const { width, vocabSize, maxPositions } = config;
  const pad = reader.id('pad_token_id', 1);

  /** Positions begin after the row of padding, which is zero. */
  const table = (w: Weights): Tensor => {
    const positions = maxPositions + pad + 1;
    const values = sinusoidalTable({ positions, width, layout: 'halves', divisor: Math.floor(width / 2) - 1 });
    values.fill(0, pad * width, (pad + 1) * width);
    return w.graph.constant('positions', [positions, width], values);
  };
  const embed = (w: Weights, stack: 'encoder' | 'decoder', ids: Tensor, start: number | ScalarRef): Tensor =>
    embedding(ids, tokenTable(w, stack, config), {
      scale: config.embeddingScale,
      positions: gather(table(w), tokenPositions(ids, pad, start)),
    });

  return encoderDecoderModel({
    ...config,
    modelType: 'm2m_100',
    norms: 'before',
    sourceVocabSize: vocabSize,
    maxSourcePositions: maxPositions,
    alternatives: sharedNames,
    embedSource: (w, { ids }) => embed(w, 'encoder', ids, 0),
    embedTarget: (w, ids, start) => embed(w, 'decoder', ids, start),
    logits: (w, x) => sharedLogits(w, x, config, { bias: false }),
  });
}
