// The keys of a BERT config.json that change what the model computes (BertConfig in transformers). RoBERTa, XLM-R and ELECTRA
// have the same.
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';

export interface BertConfig {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly heads: number; // H
  readonly activation: Activation;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly tokenTypes: number;
  readonly pad: number;
  readonly eps: number;
  readonly tiedOutput: boolean;
}

/** What families of encoders read alike; a decoder in BERT's clothes is refused. */
export function bertConfig(
  config: ConfigReader,
  defaults: { width?: number; hidden?: number; heads?: number } = {},
): BertConfig {
  config.only('is_decoder', false);
  config.only('add_cross_attention', false);
  config.only('position_embedding_type', 'absolute');
  config.only('pruned_heads', {});
  const width = config.size('hidden_size', defaults.width ?? 768);
  return {
    width,
    hidden: config.size('intermediate_size', defaults.hidden ?? 3072),
    layers: config.size('num_hidden_layers', 12),
    heads: headsOf(config, 'num_attention_heads', width, defaults.heads ?? 12),
    activation: config.activation('hidden_act', 'gelu'),
    vocabSize: config.size('vocab_size', 30522),
    maxPositions: config.size('max_position_embeddings', 512),
    tokenTypes: config.size('type_vocab_size', 2),
    pad: config.id('pad_token_id', 0),
    eps: config.number('layer_norm_eps', 1e-12),
    tiedOutput: config.flag('tie_word_embeddings', true),
  };
}

/** A number of heads that divides the width. */
export function headsOf(config: ConfigReader, key: string, width: number, fallback: number): number {
  const heads = config.size(key, fallback);
  if (width % heads !== 0) config.fail(key, `${heads} does not divide the width ${width}`, 'a divisor');
  return heads;
}
