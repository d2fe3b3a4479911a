// What the page asks of a backend's worker, and what comes back. Everything here is plain data that goes through postMessage.
export const backendNames = ['cpu', 'webgpu', 'reference'] as const;
export type BackendName = (typeof backendNames)[number];

/** The calls of a worker: what each takes, what it reports on the way, what it gives. */
export interface Calls {
  /** Start the backend and load the model. The first call, made once. */
  open: { takes: OpenRequest; reports: Download; gives: Opened };
  /** Translate one text, greedily, token by token. */
  translate: { takes: TranslateRequest; reports: Piece; gives: Translation };
  /** Logits under forced decoding. */
  force: { takes: ForceRequest; reports: never; gives: Forced };
  /** Cross-attention under forced decoding. */
  attend: { takes: AttendRequest; reports: never; gives: Attention };
}

/** What a worker tells unasked. */
export type News =
  /** The device went away. Another is being made, and the model read onto it; calls wait for that. */
  | { readonly kind: 'lost' }
  /** They go on; so many milliseconds later. */
  | { readonly kind: 'replaced'; readonly ms: number; readonly device: Device };

/** What the model is on. */
export interface Device {
  /** What the backend says about itself. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly memory: Memory;
}

export interface OpenRequest {
  readonly backend: BackendName;
  /** Threads for the backends that have them. Default: what the backend thinks best. */
  readonly threads?: number;
  readonly model: ModelSource;
}

/** The address of a model's folder or of a GGUF file; or the files themselves, a GGUF file or those of a folder. */
export type ModelSource = string | readonly File[];

/** Bytes of the model's files so far. `totalBytes` grows while the sizes of more files become known. */
export interface Download {
  readonly bytes: number;
  readonly totalBytes: number;
}

export type Opened =
  | { readonly ok: true; readonly model: OpenedModel }
  /** The device cannot be had here, which is no fault of the model. */
  | { readonly ok: false; readonly reason: string };

export interface OpenedModel extends Device {
  /** Milliseconds until the backend stood, and from then until the model was on it. */
  readonly backendMs: number;
  readonly modelMs: number;
  readonly modelType: string;
}

/** Device memory in bytes, as the backend counts it. */
export interface Memory {
  readonly bytes: number;
  readonly peak: number;
}

export interface TranslateRequest {
  readonly text: string;
}

export interface Piece {
  /** Whole characters only; together with what came before, the translation so far. */
  readonly text: string;
  readonly tokens: number;
}

export interface Translation {
  readonly text: string;
  readonly sourceIds: readonly number[];
  /** From the decoder's start token on, the end token included. */
  readonly targetIds: readonly number[];
  /** Pieces of the vocabulary: of the source, and of what was generated. */
  readonly sourceTokens: readonly string[];
  readonly targetTokens: readonly string[];
  /** From the call to the first token, which includes making the programs; and from there to the last. */
  readonly firstTokenMs: number;
  readonly restMs: number;
  /** Kernels started for each token after the first. */
  readonly kernelCalls: number;
  readonly memory: Memory;
}

/** Pairs of source and target ids; the target begins with the decoder's start token. */
export interface ForceRequest {
  readonly pairs: readonly IdPair[];
}

export interface AttendRequest {
  readonly pair: IdPair;
}

export interface IdPair {
  readonly sourceIds: readonly number[];
  readonly targetIds: readonly number[];
}

/** For each pair the logits of every token after the first of its target: [T − 1, V], row-major. */
export interface Forced {
  readonly vocabSize: number;
  readonly logits: readonly Float32Array<ArrayBuffer>[];
}

/** Weights [L, H, T, S], row-major: how much of each source token went into each generated token. */
export interface Attention {
  readonly layers: number;
  readonly heads: number;
  readonly targets: number;
  readonly sources: number;
  readonly weights: Float32Array<ArrayBuffer>;
}
