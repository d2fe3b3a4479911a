// The keys of a GPT-2 config.json that change what the model computes (GPT2Config in transformers).
import type { Heads } from '@transept/layers';
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { readHeads, refuseOthers } from '../decoder/config.ts';

export interface Gpt2Config extends Heads {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly eps: number;
  readonly activation: Activation;
  readonly tied: boolean;
  /** Are scores divided by the root of the head size? And by the number of the layer? */
  readonly scaledByHead: boolean;
  readonly scaledByLayer: boolean;
}

export function gpt2Config(config: ConfigReader): Gpt2Config {
  refuseOthers(config);
  const width = config.size(config.first('n_embd', 'hidden_size'), 768);
  return {
    width,
    ...readHeads(config, { width, heads: config.first('n_head', 'num_attention_heads') }),
    hidden: config.sizeOrNone('n_inner') ?? 4 * width,
    layers: config.size(config.first('n_layer', 'num_hidden_layers'), 12),
    vocabSize: config.size('vocab_size', 50257),
    maxPositions: config.size(config.first('n_positions', 'max_position_embeddings'), 1024),
    eps: config.number('layer_norm_epsilon', 1e-5),
    activation: config.activation('activation_function', 'gelu_new'),
    tied: config.flag('tie_word_embeddings', true),
    scaledByHead: config.flag('scale_attn_weights', true),
    scaledByLayer: config.flag('scale_attn_by_inverse_layer_idx', false),
  };
}
