// Keys and names that most decoder-only families have from Llama.
import { embedding, linear, rmsNorm } from '@transept/layers';
import type { Heads } from '@transept/layers';
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { groupedHeads, refuseOthers } from './config.ts';
import { vocabularyWeight } from './model.ts';
import type { DecoderParts } from './model.ts';

export interface CommonConfig extends Heads {
  readonly modelType: string;
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly vocabSize: number;
  /** Positions that the model was trained on; it takes more. */
  readonly context: number;
  readonly eps: number;
  readonly activation: Activation;
  /** Are the token embeddings the map to the vocabulary too? */
  readonly tied: boolean;
}

/** What holds where a configuration says nothing, and other names of keys. */
export interface CommonDefaults {
  readonly context: number;
  readonly epsKey?: string;
  readonly eps?: number;
  readonly activationKey?: string;
  readonly activation?: string;
  readonly tied?: boolean;
  readonly vocabSize?: number;
  readonly heads?: number;
  readonly keyValueHeads?: number;
  readonly headSize?: number;
}

export function commonConfig(config: ConfigReader, modelType: string, defaults: CommonDefaults): CommonConfig {
  refuseOthers(config);
  const width = config.size('hidden_size');
  return {
    modelType,
    width,
    ...groupedHeads(config, width, defaults),
    hidden: config.size('intermediate_size'),
    layers: config.size('num_hidden_layers'),
    vocabSize: config.size('vocab_size', defaults.vocabSize),
    context: config.size('max_position_embeddings', defaults.context),
    eps: config.number(defaults.epsKey ?? 'rms_norm_eps', defaults.eps ?? 1e-6),
    activation: config.activation(defaults.activationKey ?? 'hidden_act', defaults.activation ?? 'silu'),
    tied: config.flag('tie_word_embeddings', defaults.tied ?? false),
  };
}

type CommonParts = Pick<DecoderParts<unknown>, 'base' | 'blocks' | 'embed' | 'norm' | 'logits'>;

/** Everything but the blocks, with Llama's names: `model.embed_tokens`, `model.layers`, `model.norm`, `lm_head`. */
export const commonParts = ({ vocabSize, width, eps, tied }: CommonConfig): CommonParts => ({
  base: 'model',
  blocks: 'layers',
  embed: ({ ids }, w) => embedding(ids, w.get('embed_tokens.weight', [vocabSize, width])),
  norm: (x, w) => rmsNorm(x, w.at('norm'), { eps }),
  logits: (x, w) =>
    linear(x, {
      weight: vocabularyWeight(w, { tied, embeddings: 'model.embed_tokens.weight', shape: [vocabSize, width] }),
    }),
});
