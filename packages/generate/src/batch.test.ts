import { expect, test } from 'vitest';
import { batch, longestOf, paddedLength } from './batch.ts';

test('there may be more rows than a call takes arguments', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => new Uint8Array(i === 777 ? 3 : 1));
  expect(longestOf(rows)).toBe(3);
  expect(batch(rows, { name: 'input_ids', vocabSize: 4, maxLength: 8, length: 3, side: 'right' }).ids).toHaveLength(
    600_000,
  );
  expect(longestOf([])).toBe(0);
});

test.each([
  [1, [1, 8, 9, 33, 65, 130, 200, 300, 600, 1000], [8, 8, 16, 64, 128, 192, 256, 320, 640, 1024]],
  [2, [8, 9, 33, 65], [8, 16, 64, 96]],
  [4, [17, 33, 49, 65], [32, 48, 64, 80]],
  [16, [1, 9, 12, 13, 20, 33, 40, 65, 80, 200], [8, 12, 12, 16, 20, 40, 40, 80, 80, 224]],
  [1000, [3, 9, 30, 500], [8, 12, 32, 512]],
])('%i rows are padded the less the more they are', (rows, lengths, expected) => {
  expect(lengths.map((length) => paddedLength(length, { rows, most: Infinity }))).toEqual(expected);
});

test('padding keeps to few lengths, never shortens, and goes no further than the model', () => {
  for (const rows of [1, 3, 7, 16, 100]) {
    const padded = Array.from({ length: 1024 }, (_, i) => paddedLength(i + 1, { rows, most: 1000 }));
    padded.slice(0, 1000).forEach((length, i) => expect(length).toBeGreaterThan(i));
    expect(Math.max(...padded)).toBe(1000);
    expect(new Set(padded.slice(512)).size).toBeLessThanOrEqual(8);
  }
});
