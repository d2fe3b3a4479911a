import { expect, it } from 'vitest';
import { tokenPositions } from './token-positions.ts';
import { evaluate } from './testing/evaluate.ts';

const ids = { shape: [3, 5], data: Int32Array.from([5, 6, 7, 1, 1, 1, 1, 8, 9, 5, 5, 1, 6, 1, 7]) };

it('counts tokens that are no padding, from after the position of padding', async () => {
  const { data } = await evaluate({ ids }, (_, { ids }) => tokenPositions(ids!, 1));
  expect(data).toEqual([2, 3, 4, 1, 1, 1, 1, 2, 3, 4, 2, 1, 3, 1, 4]);
});

it('goes on from a start', async () => {
  const later = [6, 7, 8, 1, 1, 1, 1, 6, 7, 8, 6, 1, 7, 1, 8];
  expect((await evaluate({ ids }, (_, { ids }) => tokenPositions(ids!, 1, 4))).data).toEqual(later);
  expect((await evaluate({ ids }, (g, { ids }) => tokenPositions(ids!, 1, g.scalar('start')), [4])).data).toEqual(
    later,
  );
});
