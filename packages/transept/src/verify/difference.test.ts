import { describe, expect, it } from 'vitest';
import { differing, relativeError } from './difference.ts';

const matrix = (shape: readonly number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });

describe('relativeError', () => {
  it('measures by the standard deviation of what was recorded', () => {
    expect(relativeError(matrix([4], -2, 2, -2, 2), [-2, 2, -2, 2.5])).toBeCloseTo(0.25);
  });

  it('looks only at positions whose mask is 1, in error and spread', () => {
    const mask = { shape: [2, 2], data: Int32Array.of(1, 0, 1, 1) };
    const expected = matrix([2, 2, 1], -1, 1000, 1, 1);
    expect(relativeError(expected, [-1, 0, 1, 1], { mask, axis: 1 })).toBe(0);
    expect(relativeError(expected, [-1, 0, 1, 2], { mask, axis: 1 })).toBeGreaterThan(1);
    const perHead = matrix([2, 2, 2, 1], -1, 1000, -1, 1000, 1, 1, 1, 1);
    expect(relativeError(perHead, [-1, 0, -1, 0, 1, 1, 1, 1], { mask, axis: 2 })).toBe(0);
  });

  it('is NaN for values that are missing or no number', () => {
    expect(relativeError(matrix([2], 1, 2), [1])).toBeNaN();
    expect(relativeError(matrix([3], 1, 2, 3), [1, NaN, 3])).toBeNaN();
  });

  it('takes infinities for what they are, and leaves them out of the spread', () => {
    expect(relativeError(matrix([3], -1, -Infinity, 1), [-1, -Infinity, 1.5])).toBeCloseTo(0.5);
    expect(relativeError(matrix([3], -1, -Infinity, 1), [-1, -5, 1])).toBe(Infinity);
  });

  it('measures constants by their size', () => {
    expect(relativeError(matrix([2], 4, 4), [4, 5])).toBeCloseTo(0.25);
    expect(relativeError(matrix([2], 0, 0), [0, 0.5])).toBeCloseTo(0.5);
  });
});

describe('differing', () => {
  it('counts ids, and all of them where lengths differ', () => {
    expect(differing([1, 2, 3], [1, 5, 3])).toBe(1);
    expect(differing([1, 2, 3], [1, 2])).toBe(3);
  });
});
