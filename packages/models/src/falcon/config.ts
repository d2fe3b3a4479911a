// The keys of a Falcon config.json that change what the model computes (FalconConfig in transformers).
import type { Heads, RotaryEmbedding } from '@transept/layers';
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { readHeads, refuseOthers } from '../decoder/config.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface FalconConfig extends Heads {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly vocabSize: number;
  readonly eps: number;
  readonly activation: Activation;
  readonly tied: boolean;
  readonly biases: boolean;
  /** Do both sublayers read the block's input? */
  readonly parallel: boolean;
  /** Has each of them a norm of its own then? */
  readonly ownNorms: boolean;
  /** Angles of positions; undefined: linear biases of the scores. */
  readonly rotary: RotaryEmbedding | undefined;
  /** How often the biases are added. */
  readonly biasCount: number;
}

export function falconConfig(config: ConfigReader): FalconConfig {
  refuseOthers(config);
  const width = config.size(config.first('n_embed', 'hidden_size'), 4544);
  const grouped = config.flag('new_decoder_architecture', false);
  const shared = config.flag('multi_query', true);
  const heads = readHeads(config, { width, heads: config.first('num_attention_heads', 'n_head') });
  const groups = grouped ? (config.sizeOrNone('num_kv_heads') ?? heads.heads) : shared ? 1 : heads.heads;
  if (heads.heads % groups !== 0)
    config.fail('num_kv_heads', `${groups} does not divide num_attention_heads ${heads.heads}`, 'a divisor');
  const parallel = config.flag('parallel_attn', true);
  if (grouped && !parallel) config.fail('parallel_attn', 'it is false with new_decoder_architecture', 'true');
  const norms = config.sizeOrNone('num_ln_in_parallel_attn') ?? (grouped ? 2 : 1);
  if (norms > 2 || (norms === 2 && !grouped))
    config.fail('num_ln_in_parallel_attn', `it is ${norms}`, grouped ? '1 or 2' : '1 without new_decoder_architecture');
  return {
    width,
    ...heads,
    keyValueHeads: groups,
    hidden: config.sizeOrNone('ffn_hidden_size') ?? 4 * width,
    layers: config.size(config.first('num_hidden_layers', 'n_layer'), 32),
    vocabSize: config.size('vocab_size', 65024),
    eps: config.number('layer_norm_epsilon', 1e-5),
    activation: config.activation('activation', 'gelu'),
    tied: config.flag('tie_word_embeddings', true),
    biases: config.flag('bias', false),
    parallel,
    ownNorms: norms === 2,
    rotary: config.flag('alibi', false)
      ? undefined
      : rotaryConfig(config, {
          headSize: heads.headSize,
          maxPositions: config.size('max_position_embeddings', 2048),
        }),
    biasCount: biasCount(config),
  };
}

/**
 * Once, as models are trained and as the attention does that transformers chooses by itself ("sdpa"). Its plain attention, which has to be
 * asked for, adds the biases to the scores and since version 5 once more with the mask.
 */
function biasCount(config: ConfigReader): number {
  const [major] = config.text('transformers_version', '4').split('.');
  return config.text('attn_implementation', 'sdpa') === 'eager' && Number(major) >= 5 ? 2 : 1;
}
