// Buckets as transformers 5.23 computes them, in single precision.
import { describe, expect, it } from 'vitest';
import { relativeBias, relativeBucket } from './relative-positions.ts';
import { evaluate } from './testing/evaluate.ts';

const distances = [
  -200, -128, -100, -64, -63, -40, -20, -16, -12, -9, -8, -7, -1, 0, 1, 7, 8, 9, 12, 16, 20, 40, 63, 64, 100, 128, 200,
];

describe('relativeBucket', () => {
  it.each([
    [
      true,
      32,
      128,
      [15, 15, 15, 14, 13, 12, 10, 10, 9, 8, 8, 7, 1, 0, 17, 23, 24, 24, 25, 26, 26, 28, 29, 30, 31, 31, 31],
    ],
    [false, 32, 128, [31, 31, 30, 26, 26, 23, 17, 16, 12, 9, 8, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    [true, 9, 12, [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 0, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]],
    [false, 12, 7, [11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])('bidirectional %s, %i buckets up to %i', (bidirectional, buckets, maxDistance, expected) => {
    expect(distances.map((d) => relativeBucket(d, { bidirectional, buckets, maxDistance }))).toEqual(expected);
  });
});

describe('relativeBias', () => {
  const [buckets, heads, queries, keys] = [8, 2, 3, 40];
  const table = { shape: [buckets, heads], data: Float32Array.from({ length: buckets * heads }, (_, i) => i + 1) };

  it.each([
    [0, true],
    [0, false],
    [30, false],
    [5, true],
  ])('of queries from position %i on, bidirectional %s', async (start, bidirectional) => {
    const options = { queries, keys, buckets, maxDistance: 20, bidirectional };
    const expected = Array.from({ length: heads * queries * keys }, (_, i) => {
      const [h, t, s] = [Math.floor(i / (queries * keys)), Math.floor(i / keys) % queries, i % keys];
      return table.data[relativeBucket(s - (t + start), options) * heads + h]!;
    });
    const known = await evaluate({ table }, (_, { table }) => relativeBias(table!, { ...options, start }));
    const given = await evaluate(
      { table },
      (g, { table }) => relativeBias(table!, { ...options, start: g.scalar('start') }),
      [start],
    );
    expect(known).toEqual({ shape: [heads, queries, keys], data: expected });
    expect(given).toEqual(known);
  });
});
