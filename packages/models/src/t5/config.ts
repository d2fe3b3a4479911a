// The keys of the configurations of T5, mT5 and UMT5 that change what the model computes (T5Config in transformers and so on).
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { onlyArchitectures } from '../encoder-decoder/config.ts';

export interface T5Config {
  readonly width: number; // C
  readonly headSize: number; // D
  readonly hidden: number; // F
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly heads: number; // H
  readonly buckets: number;
  readonly maxDistance: number;
  readonly eps: number;
  readonly activation: Activation;
  readonly gated: boolean;
  readonly vocabSize: number;
  /** Has every layer a table of position biases, and not only the first one for all? */
  readonly biasPerLayer: boolean;
  /** Is the map to the vocabulary the token embeddings, whatever the checkpoint has? Else only where it has no other. */
  readonly tiedOutput: boolean;
  /** Factor on the last hidden state before that map. */
  readonly outputScale: number;
}

export type T5Kind = 't5' | 'mt5' | 'umt5';

const classes: Readonly<Record<T5Kind, string>> = { t5: 'T5', mt5: 'MT5', umt5: 'UMT5' };

const classEnds = [
  'ForConditionalGeneration',
  'WithLMHeadModel',
  'Model',
  'EncoderModel',
  'ForSequenceClassification',
  'ForTokenClassification',
  'ForQuestionAnswering',
];

export function t5Config(config: ConfigReader, kind: T5Kind): T5Config {
  onlyArchitectures(config, ...classEnds.map((end) => classes[kind] + end));
  const first = kind === 't5';
  const width = config.size('d_model', 512);
  const layers = config.size('num_layers', first ? 6 : 8);
  const heads = config.size('num_heads', first ? 8 : 6);
  const headSize = config.size('d_kv', 64);
  const buckets = config.size('relative_attention_num_buckets', 32);
  if (buckets < 4) config.fail('relative_attention_num_buckets', `${buckets} are too few`, 'at least 4');
  return {
    width,
    headSize,
    hidden: config.size('d_ff', first ? 2048 : 1024),
    encoderLayers: layers,
    decoderLayers: config.size('num_decoder_layers', layers),
    heads,
    buckets,
    maxDistance: config.size('relative_attention_max_distance', 128),
    eps: config.number('layer_norm_epsilon', 1e-6),
    ...feedForwardOf(config, first ? 'relu' : 'gated-gelu'),
    vocabSize: config.size('vocab_size', first ? 32128 : 250112),
    biasPerLayer: kind === 'umt5',
    ...outputOf(config, kind, width),
  };
}

/** `relu`, `gated-silu` and so on; `gated-gelu` means the approximation of gelu by tanh. */
function feedForwardOf(config: ConfigReader, fallback: string): Pick<T5Config, 'activation' | 'gated'> {
  const key = 'feed_forward_proj';
  const parts = config.text(key, fallback).split('-');
  const gated = parts.length === 2 && parts[0] === 'gated';
  if (parts.length !== 1 && !gated)
    config.fail(key, `"${parts.join('-')}" is not supported`, 'an activation, or gated- and an activation');
  const name = gated && parts[1] === 'gelu' ? 'gelu_new' : parts.at(-1)!;
  return { gated, activation: config.activationNamed(key, name) };
}

/**
 * The first T5 ties its output to the token embeddings and scales what goes in; v1.1 and later say that they do not tie, and do
 * not scale. transformers 5 writes `tie_word_embeddings: true` for both and tells them apart by `scale_decoder_outputs`.
 */
function outputOf(config: ConfigReader, kind: T5Kind, width: number): Pick<T5Config, 'tiedOutput' | 'outputScale'> {
  const tied = config.flag('tie_word_embeddings', true);
  const scaled = kind === 't5' ? config.flag('scale_decoder_outputs', tied) : kind === 'umt5' && tied;
  return { tiedOutput: kind === 't5' && tied && scaled, outputScale: scaled ? width ** -0.5 : 1 };
}
