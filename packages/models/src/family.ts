// What a model family provides: functions that trace its graphs. Nothing here knows devices, files or decoding strategies.
import type { Graph, ScalarRef, Tensor } from '@transept/tensor';
import type { ConfigReader } from './config.ts';

/** Receives values on the way, under the names that transformers gives them in its outputs. */
export interface Taps {
  /** Outputs of the embeddings (0) and of each layer: [B, T, C]. */
  hiddenState?(stack: 'encoder' | 'decoder', tensor: Tensor): void;
  /** Attention weights of each layer: [B, H, T, S]. */
  attention?(kind: 'encoder' | 'decoder' | 'cross', weights: Tensor): void;
}

export interface EncoderInputs {
  readonly ids: Tensor; // i32 [B, S]
  readonly mask: Tensor; // i32 [B, S], 0 where padding
}

export interface DecoderInputs {
  readonly ids: Tensor; // i32 [B, T]
  /** i32 [B, S]: 0 where a key is padding; S is the size of the caches, or T without. */
  readonly mask?: Tensor;
  /** i32 [B, T]. Default: start, start + 1, … */
  readonly positions?: Tensor;
  /** How many positions come before the first id. Default: 0. */
  readonly start?: number | ScalarRef;
  /** One a layer, of the shape that `cacheShape` gives. */
  readonly caches?: readonly Tensor[];
  /** Logits of the last position alone: [B, 1, V]. */
  readonly lastOnly?: boolean;
}

export interface CrossInputs {
  /** One a layer, from `crossKeyValues`: [sources, S, …]. The rows of `ids` are a multiple of the sources. */
  readonly keyValues: readonly Tensor[];
  readonly mask: Tensor; // i32 [sources, S]
}

interface Common {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly decoderLayers: number;
  /** Most positions that a decoder can take. */
  readonly maxPositions: number;
  /** Shape of one layer's cache of keys and values. */
  cacheShape(rows: number, positions: number): readonly number[];
}

export interface EncoderDecoderModel extends Common {
  readonly kind: 'encoder-decoder';
  readonly sourceVocabSize: number;
  readonly maxSourcePositions: number;
  readonly encoderLayers: number;
  readonly width: number;
  /** → [B, S, C] */
  encode(g: Graph, inputs: EncoderInputs, taps?: Taps): Tensor;
  /** What the decoder's layers read of the source, computed once: one tensor a layer. */
  crossKeyValues(g: Graph, encoded: Tensor): Tensor[];
  /** → logits [B, T, V] */
  decode(g: Graph, inputs: DecoderInputs, cross: CrossInputs, taps?: Taps): Tensor;
}

export interface DecoderModel extends Common {
  readonly kind: 'decoder';
  /** → logits [B, T, V] */
  decode(g: Graph, inputs: DecoderInputs, taps?: Taps): Tensor;
}

export type Model = EncoderDecoderModel | DecoderModel;

/** A family of models: the `model_type` of a config.json, and how to make a model from one. */
export interface Family {
  readonly modelType: string;
  /** Throws a ConfigError that names the key where a configuration cannot be honoured. */
  create(config: ConfigReader): Model;
}
