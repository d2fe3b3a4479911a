// Whisper (Radford et al., arXiv:2212.04356): an encoder-decoder from log-mel spectrograms to text. Two convolutions halve the frames,
// norms stand before the sublayers, keys have no bias. Names and details as in WhisperForConditionalGeneration of transformers.
import { convolution, embedding, linear, positionRows } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { activation, add, transpose } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { encoderDecoderConfig, onlyArchitectures } from '../encoder-decoder/config.ts';
import { encoderDecoderModel } from '../encoder-decoder/model.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';

export const whisper: Family = {
  modelType: 'whisper',
  create: whisperModel,
};

/** `scale_embedding` is read nowhere in the model's own code. */
function whisperModel(reader: ConfigReader): EncoderDecoderModel {
  onlyArchitectures(reader, 'WhisperForConditionalGeneration', 'WhisperModel');
  const config = encoderDecoderConfig(reader, {
    width: 384,
    layers: 4,
    heads: 6,
    hidden: 1536,
    activation: 'gelu',
    vocabSize: 51865,
    maxPositions: 448,
    maxPositionsKey: 'max_target_positions',
  });
  const { width, vocabSize, maxPositions } = config;
  const mel = reader.size('num_mel_bins', 80);
  const maxSourcePositions = reader.size('max_source_positions', 1500);
  const tokens = (w: Weights): Tensor => w.get('model.decoder.embed_tokens.weight', [vocabSize, width]);

  return encoderDecoderModel({
    ...config,
    modelType: 'whisper',
    norms: 'before',
    keyBias: false,
    sourceFeatures: [mel, 2 * maxSourcePositions],
    maxSourcePositions,
    alternatives: (name) => [
      ...(name.startsWith('model.') ? [name.slice('model.'.length)] : []),
      ...(name === 'proj_out.weight' ? ['model.decoder.embed_tokens.weight', 'decoder.embed_tokens.weight'] : []),
    ],
    embedFeatures: (w, { features }) => {
      const at = w.at('model.encoder');
      const frames = transpose(features); // [B, frames, mel]
      const each = activation('gelu', convolution(frames, at.at('conv1'), { width, size: 3, padding: 1 }));
      const half = activation('gelu', convolution(each, at.at('conv2'), { width, size: 3, padding: 1, stride: 2 }));
      return add(half, at.get('embed_positions.weight', [maxSourcePositions, width]));
    },
    embedTarget: (w, ids, start) => {
      const table = w.get('model.decoder.embed_positions.weight', [maxPositions, width]);
      return embedding(ids, tokens(w), { positions: positionRows(table, start, ids.shape[1]!) });
    },
    logits: (w, x) =>
      linear(x, { weight: config.tiedOutput ? tokens(w) : w.get('proj_out.weight', [vocabSize, width]) }),
  });
}
