import { describe, expect, it } from 'vitest';
import { BestK } from './select.ts';

const bestOf = (k: number, scores: readonly number[]): [number, number][] => {
  const best = new BestK(k);
  scores.forEach((score, i) => best.push(score, i));
  best.sort();
  return Array.from({ length: best.size }, (_, rank) => [best.score(rank), best.index(rank)]);
};

describe('BestK', () => {
  it('agrees with sorting, ties by index, on random scores', () => {
    let seed = 5;
    const random = (): number => (seed = (seed * 16807) % 2147483647);
    for (let round = 0; round < 300; round++) {
      const scores = Array.from({ length: random() % 40 }, () => (random() % 12 === 0 ? -Infinity : random() % 9));
      const k = random() % 12;
      const sorted = scores
        .map((score, i): [number, number] => [score, i])
        .sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : b[0] - a[0]))
        .slice(0, k);
      expect(bestOf(k, scores)).toEqual(sorted);
    }
  });

  it('takes lists of scores as it takes one after the other', () => {
    const scores = [3, -Infinity, 1, 4, 4, 2, 0.5, 3.5];
    for (const k of [0, 1, 3, 8, 20]) {
      const best = new BestK(k);
      best.push(9, 0);
      best.clear();
      best.pushAll(
        Float64Array.from(scores.slice(0, 3), (s) => s - 1),
        1,
        0,
      );
      best.pushAll(
        Float64Array.from(scores.slice(3), (s) => s + 2),
        -2,
        3,
      );
      best.sort();
      const found = Array.from({ length: best.size }, (_, rank) => [best.score(rank), best.index(rank)]);
      expect(found).toEqual(bestOf(k, scores));
    }
  });
});
