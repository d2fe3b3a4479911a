// The keys of a Llama config.json that change what the model computes (LlamaConfig in transformers).
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';

export interface LlamaConfig {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly heads: number; // H
  readonly keyValueHeads: number; // G
  readonly headSize: number; // D
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly eps: number;
  readonly theta: number;
  readonly activation: Activation;
  readonly tiedOutput: boolean;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
}

export function llamaConfig(config: ConfigReader): LlamaConfig {
  config.only('rope_scaling', null);
  config.only('rope_parameters', null);
  const width = config.size('hidden_size');
  const heads = config.size('num_attention_heads');
  const keyValueHeads = config.size('num_key_value_heads', heads);
  if (heads % keyValueHeads !== 0)
    config.fail('num_key_value_heads', `${keyValueHeads} does not divide num_attention_heads ${heads}`, 'a divisor');
  return {
    width,
    hidden: config.size('intermediate_size'),
    layers: config.size('num_hidden_layers'),
    heads,
    keyValueHeads,
    headSize: config.size('head_dim', Math.floor(width / heads)),
    vocabSize: config.size('vocab_size'),
    maxPositions: config.size('max_position_embeddings', 2048),
    eps: config.number('rms_norm_eps', 1e-6),
    theta: config.number('rope_theta', 10000),
    activation: config.activation('hidden_act', 'silu'),
    tiedOutput: config.flag('tie_word_embeddings', false),
    attentionBias: config.flag('attention_bias', false),
    mlpBias: config.flag('mlp_bias', false),
  };
}
