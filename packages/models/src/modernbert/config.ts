// The keys of a ModernBERT config.json that change what the model computes (ModernBertConfig in transformers), as version 5 writes
// them (`layer_types`, `rope_parameters`) and as published checkpoints have them (`global_attn_every_n_layers`, `global_rope_theta`).
import type { RotaryEmbedding } from '@transept/layers';
import type { Activation } from '@transept/tensor';
import { headsOf } from '../bert/config.ts';
import type { ConfigReader } from '../config.ts';
import { rotaryParameters } from '../decoder/rotary-config.ts';

export interface ModernbertConfig {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly heads: number; // H
  readonly layers: readonly { readonly local: boolean }[];
  /** Width of the window that local layers see, the token itself in its middle. */
  readonly localAttention: number;
  readonly rotary: Readonly<Record<'local' | 'global', RotaryEmbedding>>;
  readonly activation: Activation;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly eps: number;
  readonly normBias: boolean;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly decoderBias: boolean;
  readonly classifierBias: boolean;
  readonly classifierActivation: Activation;
  readonly pooling: 'cls' | 'mean';
  readonly tiedOutput: boolean;
}

export function modernbertConfig(config: ConfigReader): ModernbertConfig {
  const width = config.size('hidden_size', 768);
  const pooling = config.text('classifier_pooling', 'cls');
  if (pooling !== 'cls' && pooling !== 'mean')
    config.fail('classifier_pooling', `"${pooling}" is not supported`, '"cls" or "mean"');
  return {
    width,
    hidden: config.size('intermediate_size', 1152),
    heads: headsOf(config, 'num_attention_heads', width, 12),
    layers: layersOf(config),
    localAttention: config.size('local_attention', 128),
    rotary: rotaryOf(config, width),
    activation: config.activation('hidden_activation', 'gelu'),
    vocabSize: config.size('vocab_size', 50368),
    maxPositions: config.size('max_position_embeddings', 8192),
    eps: config.number('norm_eps', 1e-5),
    normBias: config.flag('norm_bias', false),
    attentionBias: config.flag('attention_bias', false),
    mlpBias: config.flag('mlp_bias', false),
    decoderBias: config.flag('decoder_bias', true),
    classifierBias: config.flag('classifier_bias', false),
    classifierActivation: config.activation('classifier_activation', 'gelu'),
    pooling,
    tiedOutput: config.flag('tie_word_embeddings', true),
  };
}

const kinds: Readonly<Record<string, { readonly local: boolean }>> = {
  full_attention: { local: false },
  sliding_attention: { local: true },
};

function layersOf(config: ConfigReader): { local: boolean }[] {
  const count = config.size('num_hidden_layers', 22);
  if (!config.has('layer_types')) {
    const every = config.size('global_attn_every_n_layers', 3);
    return Array.from({ length: count }, (_, i) => ({ local: i % every !== 0 }));
  }
  const types = config.list('layer_types');
  if (types.length !== count)
    config.fail('layer_types', `there are ${types.length}, num_hidden_layers is ${count}`, 'as many');
  return types.map(
    (type) =>
      kinds[String(type)] ??
      config.fail('layer_types', `"${String(type)}" is not supported`, Object.keys(kinds).join(' or ')),
  );
}

/** Layers that see all and those that see neighbours have frequencies of their own. */
function rotaryOf(config: ConfigReader, width: number): ModernbertConfig['rotary'] {
  const parameters = config.inner('rope_parameters');
  const headSize = width / config.size('num_attention_heads', 12);
  const maxPositions = config.size('max_position_embeddings', 8192);
  const of = (kind: string, thetaKey: string, theta: number): RotaryEmbedding =>
    rotaryParameters(config, parameters?.inner(kind), { headSize, maxPositions, thetaKey, theta });
  const global = of('full_attention', 'global_rope_theta', 160_000);
  // A null says that there is one base for all.
  const local = config.isNull('local_rope_theta') ? global : of('sliding_attention', 'local_rope_theta', 10_000);
  return { global, local };
}
