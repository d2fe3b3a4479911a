// How far a result is from what was recorded, measured by how far the recorded values spread.
import type { GoldenArray } from './golden.ts';

/** Positions that count, [B, T] of 0 and 1, and the axis of the outputs that T is. */
export interface Positions {
  readonly mask: GoldenArray;
  readonly axis: number;
}

/**
 * The largest difference over the standard deviation of the recorded values, both over the positions that count. NaN where a value
 * is missing or no number. Where all recorded values are equal, the difference over their size, or itself where they are 0.
 */
export function relativeError(expected: GoldenArray, actual: ArrayLike<number>, positions?: Positions): number {
  if (actual.length !== expected.data.length) return NaN;
  let [count, sum, worst, largest] = [0, 0, 0, 0];
  const counts = positions && counting(expected.shape, positions);
  const { data } = expected;
  for (let i = 0; i < data.length; i++) {
    if ((counts && !counts(i)) || data[i] === actual[i]) continue;
    worst = Math.max(worst, Math.abs(data[i]! - actual[i]!)); // stays NaN once it is
  }
  // Scores of tokens that were removed are -Infinity; they have no spread.
  const spreads = (i: number): boolean => (!counts || counts(i)) && Number.isFinite(data[i]);
  for (let i = 0; i < data.length; i++) {
    if (!spreads(i)) continue;
    count++;
    sum += data[i]!;
    largest = Math.max(largest, Math.abs(data[i]!));
  }
  let squares = 0;
  for (let i = 0; i < data.length; i++) if (spreads(i)) squares += (data[i]! - sum / count) ** 2;
  const spread = Math.sqrt(squares / count);
  return worst / (spread > 1e-6 * largest ? spread : largest || 1);
}

/** Does the element at a flat index lie at a position that counts? */
function counting(shape: readonly number[], { mask, axis }: Positions): (index: number) => boolean {
  const [, length] = mask.shape as [number, number];
  const product = (from: number, to?: number): number => shape.slice(from, to).reduce((a, b) => a * b, 1);
  const [perRow, perPosition] = [product(1), product(axis + 1)];
  return (i) => {
    const position = Math.floor(i / perPosition) % shape[axis]!;
    return mask.data[Math.floor(i / perRow) * length + position] !== 0;
  };
}

/** How many elements differ; all of them where the sizes do. */
export function differing(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length) return Math.max(expected.length, actual.length);
  let count = 0;
  for (let i = 0; i < expected.length; i++) count += Number(expected[i] !== actual[i]);
  return count;
}
