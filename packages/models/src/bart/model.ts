// BART (Lewis et al., arXiv:1910.13461) and its relatives mBART (Liu et al., arXiv:2001.08210) and Blenderbot Small (Roller et al.,
// arXiv:2004.13637): encoder-decoders with learned positions and a norm over the embeddings. Names and details as in
// BartForConditionalGeneration of transformers and so on.
import { embedding, layerNorm, positionRows } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, slice } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { encoderDecoderConfig, onlyArchitectures } from '../encoder-decoder/config.ts';
import { sharedLogits, sharedNames, tokenTable } from '../encoder-decoder/embeddings.ts';
import { encoderDecoderModel, eps } from '../encoder-decoder/model.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';

export const bart: Family = {
  modelType: 'bart',
  create: (reader) => bartModel(reader, 'bart', 'Bart', { norms: 'after', offset: 2, normThenPositions: false }),
};

/** With its norms before the sublayers. */
export const mbart: Family = {
  modelType: 'mbart',
  create: (reader) => bartModel(reader, 'mbart', 'MBart', { norms: 'before', offset: 2, normThenPositions: false }),
};

export const blenderbotSmall: Family = {
  modelType: 'blenderbot-small',
  create: (reader) =>
    bartModel(reader, 'blenderbot-small', 'BlenderbotSmall', { norms: 'after', offset: 0, normThenPositions: true }),
};

interface Variant {
  readonly norms: 'after' | 'before';
  /** Rows of the table of positions before the first one. */
  readonly offset: number;
  /** The decoder adds positions after the norm of the embeddings instead of before, and scales nothing. */
  readonly normThenPositions: boolean;
}

function bartModel(reader: ConfigReader, modelType: string, family: string, variant: Variant): EncoderDecoderModel {
  const small = family === 'BlenderbotSmall';
  const ends = [
    'ForConditionalGeneration',
    'Model',
    ...(small ? [] : ['ForSequenceClassification', 'ForQuestionAnswering']),
  ];
  onlyArchitectures(reader, ...ends.map((end) => family + end));
  const config = encoderDecoderConfig(reader, {
    width: small ? 512 : 1024,
    layers: small ? 8 : 12,
    heads: 16,
    hidden: small ? 2048 : 4096,
    activation: 'gelu',
    vocabSize: 50265,
    maxPositions: small ? 512 : 1024,
  });
  const { width, vocabSize, maxPositions } = config;

  const positions = (w: Weights, start: number | ScalarRef, count: number): Tensor => {
    const table = w.get('embed_positions.weight', [maxPositions + variant.offset, width]);
    return positionRows(slice(table, 0, variant.offset), start, count);
  };
  const norm = (w: Weights, x: Tensor): Tensor => layerNorm(x, w.at('layernorm_embedding'), { eps });
  const tokens = (w: Weights, stack: 'encoder' | 'decoder', ids: Tensor): Tensor => {
    const plain = stack === 'decoder' && variant.normThenPositions;
    return embedding(ids, tokenTable(w, stack, config), { scale: plain ? 1 : config.embeddingScale });
  };

  return encoderDecoderModel({
    ...config,
    modelType,
    norms: variant.norms,
    sourceVocabSize: vocabSize,
    maxSourcePositions: maxPositions,
    alternatives: sharedNames,
    embedSource: (w, { ids }) => {
      const at = w.at('model.encoder');
      return norm(at, add(tokens(w, 'encoder', ids), positions(at, 0, ids.shape[1]!)));
    },
    embedTarget: (w, ids, start) => {
      const at = w.at('model.decoder');
      const [x, rows] = [tokens(w, 'decoder', ids), positions(at, start, ids.shape[1]!)];
      return variant.normThenPositions ? add(norm(at, x), rows) : norm(at, add(x, rows));
    },
    logits: (w, x) => sharedLogits(w, x, config, { bias: true }),
  });
}
