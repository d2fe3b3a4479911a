// What a column knows of lost devices, from what its worker tells.
import { expect, test } from 'vitest';
import type { News } from '../protocol.ts';
import { lossesAfter, noLosses, replacing } from './losses.ts';

const lost: News = { kind: 'lost' };
const replaced = (ms: number): News => ({
  kind: 'replaced',
  ms,
  device: { details: {}, memory: { bytes: 1, peak: 2 } },
});
const after = (...all: News[]) => all.reduce(lossesAfter, noLosses);

test('losses are counted; the latest is replaced or not yet', () => {
  expect(replacing(noLosses)).toBe(false);
  expect(after(lost)).toEqual({ count: 1, replacedMs: undefined });
  expect(replacing(after(lost))).toBe(true);
  expect(after(lost, replaced(40))).toEqual({ count: 1, replacedMs: 40 });
  expect(replacing(after(lost, replaced(0)))).toBe(false);
  expect(replacing(after(lost, replaced(40), lost))).toBe(true);
  expect(after(lost, replaced(40), lost, replaced(70))).toEqual({ count: 2, replacedMs: 70 });
});
