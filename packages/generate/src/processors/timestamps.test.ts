// Whisper's rules, case by case. Words are tokens 0 to 3, the end is 4, "no timestamps" is 5, timestamps are 6 to 11.
import { describe, expect, it } from 'vitest';
import { timestampRules } from './timestamps.ts';

const rules = timestampRules({ noTimestamps: 5, eos: 4, maxInitial: 2, begin: 2 });

/** The tokens that are left after a prompt of two and these tokens. */
function left(tokens: readonly number[], { time = -9 }: { time?: number } = {}): number[] {
  const scores = Float64Array.from({ length: 12 }, (_, i) => (i < 6 ? 0 : time));
  rules.apply(scores, { ids: [7, 8, ...tokens], prompt: 0 });
  return [...scores.keys()].filter((i) => scores[i] !== -Infinity);
}

describe('timestamps', () => {
  it('come first, and not too late', () => expect(left([])).toEqual([6, 7, 8]));
  it('are followed by words at the beginning', () => expect(left([7])).toEqual([0, 1, 2, 3, 4]));
  it('come in pairs, the second not before the first', () => expect(left([7, 1, 9])).toEqual([4, 9, 10, 11]));
  it('are followed by words after a pair', () => expect(left([7, 1, 9, 9])).toEqual([0, 1, 2, 3, 4]));
  it('do not go back, nor stand still', () => expect(left([7, 1, 9, 9, 2])).toEqual([0, 1, 2, 3, 4, 10, 11]));
  it('come when together they are likelier than any word', () => {
    expect(left([7, 1], { time: -1 })).toEqual([8, 9, 10, 11]);
    expect(left([7, 1], { time: -1.5 })).toEqual([0, 1, 2, 3, 4, 8, 9, 10, 11]);
  });
});
