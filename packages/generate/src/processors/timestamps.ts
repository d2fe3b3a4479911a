// The rules of Whisper's timestamps: they come in pairs but for the last, never go back, begin early, and come when together they
// are likelier than any word.
import { largest, logSumExp } from '../softmax.ts';
import type { Processor } from './processor.ts';

export interface TimestampOptions {
  /** The token before the first timestamp, which never comes. */
  readonly noTimestamps: number;
  readonly eos: number;
  /** The last timestamp that may come first, counted from the first one. */
  readonly maxInitial: number | undefined;
  /** Length of the prompt. */
  readonly begin: number;
}

export function timestampRules({ noTimestamps, eos, maxInitial, begin }: TimestampOptions): Processor {
  const first = noTimestamps + 1;
  return {
    name: 'returnTimestamps',
    apply(scores, { ids }) {
      const forbid = (from: number, to: number): void => void scores.fill(-Infinity, from, Math.max(from, to));
      forbid(noTimestamps, first);
      const at = (back: number): number => ids[ids.length - back]!;
      const count = ids.length - begin;
      const last = count >= 1 && at(1) >= first;
      const penultimate = count < 2 || at(2) >= first;
      if (last && penultimate) forbid(first, scores.length);
      else if (last) forbid(0, eos);
      let latest: number | undefined;
      for (let i = begin; i < ids.length; i++) if (ids[i]! >= first) latest = ids[i]!;
      if (latest !== undefined) forbid(first, last && !penultimate ? latest : latest + 1);
      if (count === 0) {
        forbid(0, first);
        if (maxInitial !== undefined) forbid(Math.min(scores.length, first + maxInitial + 1), scores.length);
      }
      if (logSumExp(scores.subarray(first)) > largest(scores.subarray(0, first))) forbid(0, first);
    },
  };
}
