// The keys of a Marian config.json that change what the model computes (MarianConfig in transformers).
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';

export interface MarianConfig {
  readonly width: number; // C
  readonly encoder: Stack;
  readonly decoder: Stack;
  readonly activation: Activation;
  readonly vocabSize: number;
  readonly decoderVocabSize: number;
  readonly sharedEmbeddings: boolean;
  readonly tiedOutput: boolean;
  readonly scaleEmbedding: boolean;
  readonly maxPositions: number;
}

export interface Stack {
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number; // F
}

export function marianConfig(config: ConfigReader): MarianConfig {
  const width = config.size('d_model', 1024);
  const stack = (name: 'encoder' | 'decoder'): Stack => {
    const heads = config.size(`${name}_attention_heads`, 16);
    if (width % heads !== 0) config.fail(`${name}_attention_heads`, `${heads} does not divide d_model ${width}`, 'a divisor');
    return { layers: config.size(`${name}_layers`, 12), heads, hidden: config.size(`${name}_ffn_dim`, 4096) };
  };
  const vocabSize = config.size('vocab_size', 58101);
  const sharedEmbeddings = config.flag('share_encoder_decoder_embeddings', true);
  const decoderVocabSize = config.size('decoder_vocab_size', vocabSize);
  if (sharedEmbeddings && decoderVocabSize !== vocabSize)
    config.fail('decoder_vocab_size', `${decoderVocabSize} differs from vocab_size ${vocabSize} of the shared embeddings`, `${vocabSize}`);
  return {
    width,
    encoder: stack('encoder'),
    decoder: stack('decoder'),
    activation: config.activation('activation_function', 'gelu'),
    vocabSize,
    decoderVocabSize,
    sharedEmbeddings,
    tiedOutput: config.flag('tie_word_embeddings', true),
    scaleEmbedding: config.flag('scale_embedding', false),
    maxPositions: config.size('max_position_embeddings', 1024),
  };
}
