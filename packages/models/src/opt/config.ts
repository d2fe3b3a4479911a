// The keys of an OPT config.json that change what the model computes (OPTConfig in transformers).
import type { Heads } from '@transept/layers';
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { readHeads, refuseOthers } from '../decoder/config.ts';

export interface OptConfig extends Heads {
  readonly width: number; // C
  readonly embeddingWidth: number;
  readonly hidden: number; // F
  readonly layers: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly activation: Activation;
  readonly tied: boolean;
  readonly biases: boolean;
  /** Do norms come before the sublayers, or after? */
  readonly normFirst: boolean;
  readonly finalNorm: boolean;
  /** Have norms weights? */
  readonly normWeights: boolean;
}

export function optConfig(config: ConfigReader): OptConfig {
  refuseOthers(config);
  const width = config.size('hidden_size', 768);
  const normFirst = config.flag('do_layer_norm_before', true);
  return {
    width,
    ...readHeads(config, { width }),
    embeddingWidth: config.sizeOrNone('word_embed_proj_dim') ?? width,
    hidden: config.size('ffn_dim', 3072),
    layers: config.size('num_hidden_layers', 12),
    vocabSize: config.size('vocab_size', 50272),
    maxPositions: config.size('max_position_embeddings', 2048),
    activation: config.activation('activation_function', 'relu'),
    tied: config.flag('tie_word_embeddings', true),
    biases: config.flag('enable_bias', true),
    normFirst,
    finalNorm: normFirst && !config.flag('_remove_final_layer_norm', false),
    normWeights: config.flag('layer_norm_elementwise_affine', true),
  };
}
