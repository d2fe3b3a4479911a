// The keys that the configurations of BART, Marian and their relatives share (BartConfig in transformers and others).
import type { Activation } from '@transept/tensor';
import { headsOf } from '../bert/config.ts';
import type { ConfigReader } from '../config.ts';

export interface Stack {
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number; // F
}

export interface EncoderDecoderConfig {
  readonly width: number; // C
  readonly encoder: Stack;
  readonly decoder: Stack;
  readonly activation: Activation;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly tiedOutput: boolean;
  /** Factor on the token vectors. */
  readonly embeddingScale: number;
}

export interface Defaults {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
  readonly activation: string;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly scaled?: boolean;
  readonly maxPositionsKey?: string;
}

export function encoderDecoderConfig(config: ConfigReader, defaults: Defaults): EncoderDecoderConfig {
  const width = config.size('d_model', defaults.width);
  const stack = (name: 'encoder' | 'decoder'): Stack => ({
    layers: config.size(`${name}_layers`, defaults.layers),
    heads: headsOf(config, `${name}_attention_heads`, width, defaults.heads),
    hidden: config.size(`${name}_ffn_dim`, defaults.hidden),
  });
  return {
    width,
    encoder: stack('encoder'),
    decoder: stack('decoder'),
    activation: config.activation('activation_function', defaults.activation),
    vocabSize: config.size('vocab_size', defaults.vocabSize),
    maxPositions: config.size(defaults.maxPositionsKey ?? 'max_position_embeddings', defaults.maxPositions),
    tiedOutput: config.flag('tie_word_embeddings', true),
    embeddingScale: config.flag('scale_embedding', defaults.scaled ?? false) ? Math.sqrt(width) : 1,
  };
}

/** Refuse `architectures` other than these; the first of those that a config.json names counts. */
export function onlyArchitectures(config: ConfigReader, ...known: readonly string[]): void {
  const [name] = config.has('architectures') ? config.list('architectures') : [];
  if (name !== undefined && !known.includes(String(name)))
    config.fail('architectures', `"${String(name)}" is not supported`, `one of ${known.join(', ')}`);
}
