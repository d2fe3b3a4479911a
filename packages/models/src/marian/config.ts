// The keys of a Marian config.json that change what the model computes (MarianConfig in transformers).
import type { ConfigReader } from '../config.ts';
import { encoderDecoderConfig, onlyArchitectures } from '../encoder-decoder/config.ts';
import type { EncoderDecoderConfig } from '../encoder-decoder/config.ts';

export interface MarianConfig extends EncoderDecoderConfig {
  readonly decoderVocabSize: number;
  readonly sharedEmbeddings: boolean;
}

export function marianConfig(config: ConfigReader): MarianConfig {
  onlyArchitectures(config, 'MarianMTModel', 'MarianModel');
  const common = encoderDecoderConfig(config, {
    width: 1024,
    layers: 12,
    heads: 16,
    hidden: 4096,
    activation: 'gelu',
    vocabSize: 58101,
    maxPositions: 1024,
  });
  const { vocabSize } = common;
  const sharedEmbeddings = config.flag('share_encoder_decoder_embeddings', true);
  const decoderVocabSize = config.size('decoder_vocab_size', vocabSize);
  if (sharedEmbeddings && decoderVocabSize !== vocabSize)
    config.fail(
      'decoder_vocab_size',
      `${decoderVocabSize} differs from vocab_size ${vocabSize} of the shared embeddings`,
      `${vocabSize}`,
    );
  return { ...common, decoderVocabSize, sharedEmbeddings };
}
