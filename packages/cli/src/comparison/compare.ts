// The same model and the same texts on several backends: each measured by itself, then every pair under forced decoding, where
// both are given the tokens that the first of them chose.
import { forward } from '@transept/generate';
import { agreement } from 'transept';
import type { Agreement, TextModel } from 'transept';
import type { OpenedModel } from '../models.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { bound, margin } from './bounds.ts';
import type { BackendReport, Measured } from './measure.ts';

export interface PairReport extends Agreement {
  readonly backends: readonly [string, string];
  /** Texts that both turned into the same tokens by themselves, and how many texts there are. */
  readonly sameTexts: number;
  readonly texts: number;
  /** Largest difference of a logit that is allowed. */
  readonly bound: number;
  /** Is the largest difference within the bound, and every clear choice the same? */
  readonly agrees: boolean;
}

/** Attention weights of one text, the mean of the heads of the last layer. */
export interface AttentionPicture {
  readonly backend: string;
  readonly kind: 'cross' | 'self';
  readonly columns: readonly string[];
  /** The token that each row led to. */
  readonly rows: readonly string[];
  /** [rows, columns] */
  readonly weights: readonly (readonly number[])[];
}

export interface Comparison {
  readonly model: string;
  readonly sources: readonly string[];
  readonly beams: number;
  readonly backends: readonly BackendReport[];
  readonly pairs: readonly PairReport[];
  readonly attention: AttentionPicture | null;
  readonly agrees: boolean;
}

export async function comparePair(
  a: OpenedModel,
  b: OpenedModel,
  [x, y]: readonly [BackendReport, BackendReport],
  { signal, stderr }: Terminal,
): Promise<PairReport> {
  using progress = new Progress(stderr, `comparing ${x.backend} and ${y.backend}`);
  const encoderDecoder = a.model.loaded.model.kind === 'encoder-decoder';
  const result = await agreement(
    a.model.loaded,
    b.model.loaded,
    {
      // Nothing is chosen after the last token.
      targets: x.texts.map(({ ids }) => ids.slice(0, -1)),
      ...(encoderDecoder && { sources: x.texts.map(({ sourceIds }) => sourceIds) }),
    },
    { margin, signal, onProgress: (done, total) => progress.update(done, total) },
  );
  const limit = bound(x.backend) + bound(y.backend);
  return {
    backends: [x.backend, y.backend],
    ...result,
    sameTexts: x.texts.filter(({ ids }, i) => String(ids) === String(y.texts[i]!.ids)).length,
    texts: x.texts.length,
    bound: limit,
    agrees: result.maxLogitDifference <= limit && result.clearTop1 === 1,
  };
}

/** What the last layer attends to while it decodes a text. */
export async function pictureAttention(
  { model }: OpenedModel,
  backend: string,
  { sourceIds, ids }: Measured,
  signal: AbortSignal,
): Promise<AttentionPicture> {
  const cross = model.loaded.model.kind === 'encoder-decoder';
  const target = ids.slice(0, -1);
  const inputs = cross ? { inputIds: [sourceIds], decoderInputIds: [target] } : { inputIds: [target] };
  const outputs = await forward(model.loaded, inputs, { attentions: true, signal });
  const kind = cross ? 'cross_attentions.' : 'attentions.';
  const last = Object.keys(outputs).filter((name) => name.startsWith(kind)).length - 1;
  const { shape, data } = outputs[`${kind}${last}`]!;
  const [, H, T, S] = shape as [number, number, number, number]; // [1, H, T, S]
  const weights = Array.from({ length: T }, (_, t) =>
    Array.from({ length: S }, (_, s) => {
      let sum = 0;
      for (let h = 0; h < H; h++) sum += data[(h * T + t) * S + s]!;
      return sum / H;
    }),
  );
  return {
    backend,
    kind: cross ? 'cross' : 'self',
    columns: pieces(model, cross ? sourceIds : target),
    rows: pieces(model, ids.slice(1)),
    weights,
  };
}

const pieces = ({ tokenizer }: TextModel, ids: readonly number[]): string[] =>
  ids.map((id) => tokenizer?.idToToken(id) ?? String(id));
