import { expect, test } from 'vitest';
import { batch, longestOf } from './batch.ts';

test('there may be more rows than a call takes arguments', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => new Uint8Array(i === 777 ? 3 : 1));
  expect(longestOf(rows)).toBe(3);
  expect(batch(rows, { name: 'input_ids', vocabSize: 4, maxLength: 8, length: 3, side: 'right' }).ids).toHaveLength(
    600_000,
  );
  expect(longestOf([])).toBe(0);
});
