// What a model family provides: functions that trace its graphs. Nothing here knows devices, files or decoding strategies.
import type { Graph, ScalarRef, Tensor } from '@transept/tensor';
import type { ConfigReader } from './config.ts';

/** Receives values on the way, under the names that transformers gives them in its outputs. */
export interface Taps {
  /** Outputs of the embeddings (0) and of each layer: [B, T, C]. */
  hiddenState?(stack: 'encoder' | 'decoder', tensor: Tensor): void;
  /** What the router of each mixture of experts says of all tokens: [B·T, E]. */
  router?(logits: Tensor): void;
  /** Attention weights of each layer: [B, H, T, S]. */
  attention?(kind: 'encoder' | 'decoder' | 'cross', weights: Tensor): void;
}

/** What the encoder of an encoder-decoder reads: ids with their mask, or features. */
export type EncoderInputs = SourceIds | SourceFeatures;

export interface SourceIds {
  readonly ids: Tensor; // i32 [B, S]
  readonly mask: Tensor; // i32 [B, S], 0 where padding
}

export interface SourceFeatures {
  readonly features: Tensor; // [B, …], of the shape that `sourceFeatures` gives
}

/** The inputs of a family whose sources are text. */
export function sourceIds(inputs: EncoderInputs): SourceIds {
  if ('ids' in inputs) return inputs;
  throw new TypeError('encode: features are given; this family takes ids and a mask');
}

export interface DecoderInputs {
  readonly ids: Tensor; // i32 [B, T]
  /** i32 [B, S]: 0 where a key is padding; S is the size of the caches, or T without. */
  readonly mask?: Tensor;
  /** i32 [B, T]. Default: start, start + 1, … */
  readonly positions?: Tensor;
  /** All of `positions` are below this. Default: as many as there are keys. */
  readonly positionLimit?: number;
  /** i32 [B, S]: how many keys that are no padding come before each key. Default: its number. */
  readonly keyPositions?: Tensor;
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
  /** i32 [sources, S]; none where every position counts. */
  readonly mask?: Tensor;
}

export interface TextInputs {
  readonly ids: Tensor; // i32 [B, T]
  readonly mask: Tensor; // i32 [B, T], 0 where padding
  /** i32 [B, T]: which part of the text a token is of. Default: 0. */
  readonly tokenTypes?: Tensor;
  /** i32 [B, T]. Default: as the family counts. */
  readonly positions?: Tensor;
}

interface Named {
  readonly modelType: string;
  /** Other names that checkpoints have for a tensor, most likely first. */
  alternatives?(name: string): readonly string[];
}

interface Common extends Named {
  readonly vocabSize: number;
  readonly decoderLayers: number;
  /** Most positions that a decoder can take. */
  readonly maxPositions: number;
  /** Shape of one layer's cache of keys and values. */
  cacheShape(rows: number, positions: number): readonly number[];
}

export interface EncoderDecoderModel extends Common {
  readonly kind: 'encoder-decoder';
  /** Ids of the source; 0 where the source is features. */
  readonly sourceVocabSize: number;
  /** Shape of one source that is not text, such as [mel, frames]. */
  readonly sourceFeatures?: readonly number[];
  readonly maxSourcePositions: number;
  readonly encoderLayers: number;
  readonly width: number;
  /** → [B, S, C] */
  encode(g: Graph, inputs: EncoderInputs, taps?: Taps): Tensor;
  /** What the decoder's layers read of the source, computed once: one tensor a layer. */
  crossKeyValues(g: Graph, encoded: Tensor): Tensor[];
  /** → the decoder's last hidden state, [B, T, C], for families whose checkpoints may have other heads. */
  states?(g: Graph, inputs: DecoderInputs, cross: CrossInputs, taps?: Taps): Tensor;
  /** → logits [B, T, V] */
  decode(g: Graph, inputs: DecoderInputs, cross: CrossInputs, taps?: Taps): Tensor;
}

export interface DecoderModel extends Common {
  readonly kind: 'decoder';
  /**
   * When this many positions have been decoded, all of them have to be decoded anew: what the caches hold of them belongs to
   * angles for shorter texts.
   */
  readonly decodeAnewAt?: number | undefined;
  /** Width of the last hidden state. */
  readonly width: number;
  /** Of mixtures of experts: how many work on a token, and the factor on what routers add to the loss. */
  readonly routing?: Routing | undefined;
  /** → the last hidden state, [B, T, C]: what the logits are made of. */
  states(g: Graph, inputs: DecoderInputs, taps?: Taps): Tensor;
  /** → logits [B, T, V] */
  decode(g: Graph, inputs: DecoderInputs, taps?: Taps): Tensor;
}

export interface Routing {
  readonly chosen: number;
  readonly lossFactor: number;
}

/** What the head of an encoder gives, and so what its logits are. */
export type Task =
  /** `last_hidden_state` [B, T, C], perhaps `pooler_output` [B, C] */
  | 'features'
  /** `logits` [B, T, V] */
  | 'maskedTokens'
  /** `logits` [B, T]: was the token replaced? */
  | 'replacedTokens'
  /** `logits` [B, labels] */
  | 'sequenceClassification'
  /** `logits` [B, T, labels] */
  | 'tokenClassification'
  /** `start_logits` and `end_logits` [B, T] */
  | 'questionAnswering';

interface Encoder extends Named {
  readonly task: Task;
  /** Width of the hidden states. */
  readonly width: number;
  /** Names of the classes of a classifier. */
  readonly labels?: readonly string[];
  /** What a classifier of texts or images tells, where its configuration says. */
  readonly problem?: Problem;
}

/** A number, one class of several, or for each class whether it applies. */
export type Problem = 'regression' | 'singleLabel' | 'multiLabel';

/** A text encoder with the head that its `architectures` name. */
export interface EncoderModel extends Encoder {
  readonly kind: 'encoder';
  readonly vocabSize: number;
  readonly maxPositions: number;
  /** How many parts of a text it tells apart; 0 where it takes no token types. */
  readonly tokenTypes: number;
  /** How many positions may be given for tokens; 0 where it takes none. */
  readonly positionIds: number;
  /** Does the text go through an encoder and a decoder? Hidden states and attention weights then have the names of their stacks. */
  readonly twoStacks?: boolean;
  /** → [B, T, C] */
  encode(g: Graph, inputs: TextInputs, taps?: Taps): Tensor;
  /** What the head makes of hidden states [B, T, C], by the names that transformers gives it. */
  outputs(g: Graph, hidden: Tensor, inputs: TextInputs): Record<string, Tensor>;
}

/** An image encoder with its head. */
export interface VisionModel extends Encoder {
  readonly kind: 'vision';
  /** Shape of one image: [channels, height, width]. */
  readonly imageShape: readonly [number, number, number];
  /** pixels [B, …imageShape] → [B, T, C] */
  encode(g: Graph, pixels: Tensor, taps?: Taps): Tensor;
  outputs(g: Graph, hidden: Tensor): Record<string, Tensor>;
}

/** Models that generate tokens. */
export type GenerativeModel = EncoderDecoderModel | DecoderModel;

export type Model = GenerativeModel | EncoderModel | VisionModel;

/** A family of models: the `model_type` of a config.json, and how to make a model from one. */
export interface Family {
  readonly modelType: string;
  /** Throws a ConfigError that names the key where a configuration cannot be honoured. */
  create(config: ConfigReader): Model;
}
