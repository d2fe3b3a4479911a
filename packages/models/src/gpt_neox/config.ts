// The keys of a GPT-NeoX config.json that change what the model computes (GPTNeoXConfig in transformers).
import type { Heads, RotaryEmbedding } from '@transept/layers';
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { readHeads, refuseOthers } from '../decoder/config.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface GptNeoXConfig extends Heads {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly vocabSize: number;
  readonly eps: number;
  readonly activation: Activation;
  readonly tied: boolean;
  readonly attentionBias: boolean;
  /** Do both sublayers read the block's input? */
  readonly parallel: boolean;
  readonly rotary: RotaryEmbedding;
}

export function gptNeoXConfig(config: ConfigReader): GptNeoXConfig {
  refuseOthers(config);
  const width = config.size('hidden_size', 6144);
  const heads = readHeads(config, { width });
  return {
    width,
    ...heads,
    hidden: config.size('intermediate_size', 24576),
    layers: config.size('num_hidden_layers', 44),
    vocabSize: config.size('vocab_size', 50432),
    eps: config.number('layer_norm_eps', 1e-5),
    activation: config.activation('hidden_act', 'gelu'),
    tied: config.flag('tie_word_embeddings', false),
    attentionBias: config.flag('attention_bias', true),
    parallel: config.flag('use_parallel_residual', true),
    rotary: rotaryConfig(config, {
      headSize: heads.headSize,
      maxPositions: config.size('max_position_embeddings', 2048),
      thetaKey: 'rotary_emb_base',
      partialKey: 'rotary_pct',
      partial: 0.25,
    }),
  };
}
