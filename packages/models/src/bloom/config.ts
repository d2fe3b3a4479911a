// The keys of a BLOOM config.json that change what the model computes (BloomConfig in transformers).
import type { Heads } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { readHeads, refuseOthers } from '../decoder/config.ts';

export interface BloomConfig extends Heads {
  readonly width: number; // C
  readonly layers: number;
  readonly vocabSize: number;
  readonly eps: number;
  readonly tied: boolean;
  /** Are sublayers added to their normed inputs? */
  readonly normedResidual: boolean;
}

export function bloomConfig(config: ConfigReader): BloomConfig {
  refuseOthers(config);
  // What transformers computes then has no biases after attention and feed-forward.
  if (config.number('pretraining_tp', 1) > 1) config.only('slow_but_exact', false);
  const width = config.size(config.first('n_embed', 'hidden_size'), 64);
  return {
    width,
    ...readHeads(config, { width, heads: config.first('n_head', 'num_attention_heads'), defaultHeads: 8 }),
    layers: config.size(config.first('n_layer', 'num_hidden_layers'), 2),
    vocabSize: config.size('vocab_size', 250880),
    eps: config.number('layer_norm_epsilon', 1e-5),
    tied: config.flag('tie_word_embeddings', true),
    normedResidual: config.flag('apply_residual_connection_post_layernorm', false),
  };
}
