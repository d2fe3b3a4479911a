// How far backends agree: the tokens that the first of them chose are fed to all, and the logits are compared pair by pair.
import { Tally } from 'transept';
import type { Agreement } from 'transept';
import type { BackendName, Calls, IdPair } from '../protocol.ts';
import type { Remote } from '../rpc/remote.ts';

export interface Participant {
  readonly name: BackendName;
  readonly remote: Remote<Calls>;
}

export interface PairAgreement {
  readonly a: BackendName;
  readonly b: BackendName;
  readonly figures: Agreement;
  /** How far the two may be apart in a logit. */
  readonly bound: number;
  readonly agree: boolean;
}

/** Positions where the two best logits are nearer than this may rightly differ. */
export const clearMargin = 1e-3;

/** Largest |Δlogit| of each backend against float64, from docs/numerics.md. */
const bounds: Readonly<Record<BackendName, number>> = { reference: 1e-4, cpu: 5e-4, webgpu: 2e-3 };

/** Pairs that go through a model together. */
const batchSize = 8;

export interface CompareOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** Compare every two participants on the same sources and targets. */
export async function compareAll(
  participants: readonly Participant[],
  pairs: readonly IdPair[],
  { signal, onProgress }: CompareOptions,
): Promise<PairAgreement[]> {
  const couples = participants.flatMap((a, i) =>
    participants.slice(i + 1).map((b) => ({ a, b, tally: new Tally(clearMargin) })),
  );
  // Targets of similar length go together, so that little is padding.
  const sorted = pairs.toSorted((a, b) => a.targetIds.length - b.targetIds.length);
  for (let at = 0; at < sorted.length; at += batchSize) {
    onProgress(at, sorted.length);
    const batch = sorted.slice(at, at + batchSize).map(({ sourceIds, targetIds }) => ({ sourceIds, targetIds }));
    const forced = await Promise.all(
      participants.map(({ remote }) => remote.call('force', { pairs: batch }, { signal })),
    );
    const of = (participant: Participant) => forced[participants.indexOf(participant)]!;
    for (const { a, b, tally } of couples) {
      const { vocabSize, logits } = of(a);
      logits.forEach((rows, i) => {
        const others = of(b).logits[i]!;
        for (let start = 0; start < rows.length; start += vocabSize)
          tally.add(rows.subarray(start, start + vocabSize), others.subarray(start, start + vocabSize));
      });
    }
  }
  return couples.map(({ a, b, tally }) => judge(a.name, b.name, tally.result()));
}

/** Two backends agree when they choose alike wherever the choice is clear, and no logit is further apart than both may be off. */
export function judge(a: BackendName, b: BackendName, figures: Agreement): PairAgreement {
  const bound = bounds[a] + bounds[b];
  return { a, b, figures, bound, agree: figures.clearTop1 === 1 && figures.maxLogitDifference <= bound };
}
