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

  it('knows which scores can still enter', () => {
    const best = new BestK(2);
    best.push(3, 0);
    expect(best.full).toBe(false);
    best.push(1, 1);
    expect(best.full).toBe(true);
    expect(best.threshold).toBe(1);
    best.push(2, 2);
    expect(best.threshold).toBe(2);
    best.clear();
    expect(best.size).toBe(0);
  });
});
