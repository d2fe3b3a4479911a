// The keys of a DeBERTa config.json that change what the model computes (DebertaV2Config in transformers).
import type { Activation } from '@transept/tensor';
import { headsOf } from '../bert/config.ts';
import type { ConfigReader } from '../config.ts';

export interface DebertaConfig {
  readonly width: number; // C
  readonly embeddingWidth: number;
  readonly hidden: number; // F
  readonly layers: number;
  readonly heads: number; // H
  readonly activation: Activation;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly tokenTypes: number;
  readonly eps: number;
  readonly tiedOutput: boolean;
  /** Are learned positions added to the tokens? */
  readonly absolutePositions: boolean;
  readonly relative: RelativeConfig | undefined;
  readonly convolution: ConvolutionConfig | undefined;
  readonly poolerActivation: Activation;
  readonly poolerWidth: number;
  /** Where the head of the masked language model lies. */
  readonly legacy: boolean;
}

export interface RelativeConfig {
  /** Distances have `span` rows of vectors on each side. */
  readonly span: number;
  /** Far distances share rows: the greatest distance that has a row of its own row range. */
  readonly logarithmic: { readonly buckets: number; readonly maxDistance: number } | undefined;
  readonly normed: boolean;
  readonly contentToPosition: boolean;
  readonly positionToContent: boolean;
  /** Do positions use the maps of queries and keys? */
  readonly sharedMaps: boolean;
}

export interface ConvolutionConfig {
  readonly size: number;
  readonly groups: number;
  readonly activation: Activation;
}

export function debertaConfig(config: ConfigReader): DebertaConfig {
  const width = config.size('hidden_size', 1536);
  const maxPositions = config.size('max_position_embeddings', 512);
  return {
    width,
    embeddingWidth: config.size('embedding_size', width),
    hidden: config.size('intermediate_size', 6144),
    layers: config.size('num_hidden_layers', 24),
    heads: headsOf(config, 'num_attention_heads', width, 24),
    activation: config.activation('hidden_act', 'gelu'),
    vocabSize: config.size('vocab_size', 128100),
    maxPositions,
    tokenTypes: config.id('type_vocab_size', 0),
    eps: config.number('layer_norm_eps', 1e-7),
    tiedOutput: config.flag('tie_word_embeddings', true),
    absolutePositions: config.flag('position_biased_input', true),
    relative: config.flag('relative_attention', false) ? relativeConfig(config, maxPositions) : undefined,
    convolution: convolutionConfig(config),
    poolerActivation: config.activation('pooler_hidden_act', 'gelu'),
    poolerWidth: config.size('pooler_hidden_size', width),
    legacy: config.flag('legacy', true),
  };
}

function relativeConfig(config: ConfigReader, maxPositions: number): RelativeConfig {
  const most = config.number('max_relative_positions', -1);
  const maxDistance = most < 1 ? maxPositions : most;
  const buckets = config.number('position_buckets', -1);
  const types = config.has('pos_att_type') ? parts(config, 'pos_att_type') : [];
  for (const type of types)
    if (type !== 'c2p' && type !== 'p2c') config.fail('pos_att_type', `"${type}" is not supported`, 'c2p and p2c');
  return {
    span: buckets > 0 ? buckets : maxDistance,
    logarithmic: buckets > 0 ? { buckets, maxDistance } : undefined,
    normed: parts(config, 'norm_rel_ebd', 'none').includes('layer_norm'),
    contentToPosition: types.includes('c2p'),
    positionToContent: types.includes('p2c'),
    sharedMaps: config.flag('share_att_key', false),
  };
}

/** A list, or text with bars between the parts. */
function parts(config: ConfigReader, key: string, fallback?: string): string[] {
  const list = config.textOrList(key, fallback);
  return (typeof list === 'string' ? list.split('|') : list.map(String)).map((s) => s.trim().toLowerCase());
}

function convolutionConfig(config: ConfigReader): ConvolutionConfig | undefined {
  const size = config.id('conv_kernel_size', 0);
  if (size === 0) return undefined;
  if (size % 2 === 0) config.fail('conv_kernel_size', `${size} is even, so lengths would change`, 'an odd number');
  return { size, groups: config.size('conv_groups', 1), activation: config.activation('conv_act', 'tanh') };
}
