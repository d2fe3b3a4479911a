// Do two backends compute the same? Forced decoding: both run the same source and the same target tokens, so that the logits of
// every position can be compared, whatever each would have chosen by itself.
import { forward, InputError } from '@transept/generate';
import type { ForwardInputs, Rows } from '@transept/generate';
import type { LoadedModel } from '@transept/models';

export interface Forced {
  /** Source ids, one row each; for a decoder without an encoder, leave them out. */
  readonly sources?: Rows;
  /** Target ids as generated, beginning with the decoder's start token or the prompt. */
  readonly targets: Rows;
}

export interface AgreementOptions {
  /** Positions where the two best logits are nearer than this may rightly differ. Default: 1e-3. */
  readonly margin?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Agreement {
  /** Positions compared. */
  readonly positions: number;
  /** Share of positions where both choose the same token. */
  readonly top1: number;
  /** Positions whose margin is above the limit, and the share of them with the same choice. */
  readonly clearPositions: number;
  readonly clearTop1: number;
  /** Largest difference of a logit. */
  readonly maxLogitDifference: number;
  /** Mean Kullback-Leibler divergence of b's distribution from a's, in nats. */
  readonly meanKl: number;
}

/** Compare the logits of one model on two backends, position by position. */
export async function agreement(
  a: LoadedModel,
  b: LoadedModel,
  forced: Forced,
  options: AgreementOptions = {},
): Promise<Agreement> {
  const { margin = 1e-3, signal, onProgress } = options;
  const tally = new Tally(margin);
  const each = { ...(signal && { signal }) };
  let done = 0;
  for (const group of groups(a, forced)) {
    const [x, y] = [await forward(a, group.inputs, each), await forward(b, group.inputs, each)].map(
      (out) => out['logits']!,
    );
    const [, positions, width] = x!.shape as [number, number, number];
    group.lengths.forEach((length, r) => {
      for (let t = 0; t < length; t++) {
        const at = (r * positions + t) * width;
        tally.add(x!.data.subarray(at, at + width), y!.data.subarray(at, at + width));
      }
    });
    onProgress?.((done += group.lengths.length), forced.targets.length);
  }
  return tally.result();
}

/** Rows that go through a model together. */
const groupRows = 8;

interface Group {
  readonly inputs: ForwardInputs;
  /** How many positions of each row count. Further rows only fill the group. */
  readonly lengths: readonly number[];
}

/** Rows of similar lengths, padded on the right to few different shapes, so that few programs serve all. */
function groups({ model }: LoadedModel, { sources, targets }: Forced): Group[] {
  if (model.kind !== 'decoder' && model.kind !== 'encoder-decoder')
    throw new InputError(`agreement: "${model.modelType}" has no decoder; compare what forward gives`);
  const most = { source: model.kind === 'decoder' ? 1 : model.maxSourcePositions, target: model.maxPositions };
  const shape = (i: number): string =>
    `${bucket(sources?.[i]?.length ?? 1, most.source)} ${bucket(targets[i]!.length, most.target)}`;
  const byShape = Map.groupBy(targets.keys(), shape);
  return [...byShape.values()].flatMap((rows) => {
    const count = Math.ceil(rows.length / groupRows);
    return Array.from({ length: count }, (_, g): Group => {
      const some = rows.slice(g * groupRows, (g + 1) * groupRows);
      const full = Array.from({ length: groupRows }, (_, i) => some[i] ?? some.at(-1)!);
      const [target, targetMask] = padded(
        full.map((i) => targets[i]!),
        most.target,
      );
      const lengths = some.map((i) => targets[i]!.length);
      if (!sources) return { inputs: { inputIds: target, attentionMask: targetMask }, lengths };
      const [source, mask] = padded(
        full.map((i) => sources[i]!),
        most.source,
      );
      const decoder = { decoderInputIds: target, decoderAttentionMask: targetMask };
      return { inputs: { inputIds: source, attentionMask: mask, ...decoder }, lengths };
    });
  });
}

const bucket = (length: number, most: number): number =>
  Math.max(length, Math.min(most, Math.max(8, 2 ** Math.ceil(Math.log2(length)))));

/** Rows and their masks, up to the bucket that all of them fit. */
function padded(rows: readonly ArrayLike<number>[], most: number): [number[][], number[][]] {
  const length = bucket(rows[0]!.length, most);
  const fill = (row: ArrayLike<number>, value: (i: number) => number): number[] =>
    Array.from({ length }, (_, i) => (i < row.length ? value(i) : 0));
  return [rows.map((r) => fill(r, (i) => r[i]!)), rows.map((r) => fill(r, () => 1))];
}

/** Gathers the comparison of one position after the other. */
export class Tally {
  readonly #margin: number;
  #positions = 0;
  #same = 0;
  #clear = 0;
  #clearSame = 0;
  #worst = 0;
  #kl = 0;

  constructor(margin: number) {
    this.#margin = margin;
  }

  add(a: Float32Array, b: Float32Array): void {
    const [x, y] = [best(a), best(b)];
    const same = x.index === y.index;
    this.#positions++;
    this.#same += Number(same);
    if (x.margin > this.#margin) {
      this.#clear++;
      this.#clearSame += Number(same);
    }
    let [sumA, sumB, worst] = [0, 0, this.#worst];
    for (let i = 0; i < a.length; i++) {
      sumA += Math.exp(a[i]! - x.value);
      sumB += Math.exp(b[i]! - y.value);
      const difference = Math.abs(a[i]! - b[i]!);
      worst = Math.max(worst, difference); // stays NaN once it is
    }
    this.#worst = worst;
    const shift = y.value + Math.log(sumB) - x.value - Math.log(sumA);
    let kl = 0;
    for (let i = 0; i < a.length; i++) kl += (Math.exp(a[i]! - x.value) / sumA) * (a[i]! - b[i]! + shift);
    this.#kl += Math.max(0, kl);
  }

  result(): Agreement {
    return {
      positions: this.#positions,
      top1: this.#same / this.#positions,
      clearPositions: this.#clear,
      clearTop1: this.#clear === 0 ? 1 : this.#clearSame / this.#clear,
      maxLogitDifference: this.#worst,
      meanKl: this.#kl / this.#positions,
    };
  }
}

/** The largest element, where it is, and how far the second is below it. */
function best(row: Float32Array): { index: number; value: number; margin: number } {
  let [index, value, second] = [0, -Infinity, -Infinity];
  for (let i = 0; i < row.length; i++) {
    const x = row[i]!;
    if (x > value) [index, value, second] = [i, x, value];
    else if (x > second) second = x;
  }
  return { index, value, margin: value - second };
}
