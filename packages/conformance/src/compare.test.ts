// What wrong results look like, recognised.
import { describe, expect, it } from 'vitest';
import { compare } from './compare.ts';
import { sentinel } from './fence.ts';
import { Cells } from './oracle/cells.ts';

const shape = [6, 7];
const right = Float32Array.from({ length: 42 }, (_, i) => Math.sin(i * 1.7) * 3);
const expected = (values: ArrayLike<number>): Cells => {
  const cells = new Cells(values.length);
  for (let i = 0; i < values.length; i++)
    cells.set(i, { value: values[i]!, low: values[i]! - 1e-5, high: values[i]! + 1e-5 });
  return cells;
};
const symptomOf = (received: Float32Array<ArrayBuffer>): string | undefined =>
  compare(received, expected(right), shape).wrong?.symptom;

describe('compare', () => {
  it('takes what lies within bounds', () => {
    const near = right.map((x, i) => x + (i % 2 ? 4e-6 : -4e-6));
    expect(compare(near, expected(right), shape)).toMatchObject({ closeness: expect.closeTo(0.4, 1) as number });
  });

  it('gives the first wrong element, both values, distance and bound', () => {
    const wrong = right.with(16, right[16]! + 0.5);
    const { wrong: said } = compare(new Float32Array(wrong), expected(right), shape);
    expect(said).toMatchObject({ index: [2, 2], count: 1, of: 42, symptom: 'unknown', expected: right[16] });
    expect(said!.distance).toBeCloseTo(0.5);
    expect(said!.bound).toBeCloseTo(1e-5);
  });

  it('knows what was never written', () => {
    const received = right.slice();
    new Uint32Array(received.buffer).fill(sentinel, 40);
    const { wrong } = compare(received, expected(right), shape);
    expect(wrong).toMatchObject({ symptom: 'unwritten', detail: 'elements 40 to 41 were never written' });
  });

  it('takes a NaN where one is due, but not the one that was there before', () => {
    const cells = expected(right);
    cells.set(3, { value: NaN, low: NaN, high: NaN });
    expect(compare(new Float32Array(right.with(3, NaN)), cells, shape).wrong).toBeUndefined();
    expect(compare(right, cells, shape).wrong?.index).toEqual([0, 3]);
    const received = right.slice();
    new Uint32Array(received.buffer)[3] = sentinel;
    expect(compare(received, cells, shape).wrong?.symptom).toBe('unwritten');
  });

  it.each([
    ['transposed', right.map((_, i) => right[(i % 6) * 7 + Math.floor(i / 6)]!)],
    ['shifted', right.map((_, i) => right[(i + 3) % 42]!)],
    ['scaled', right.map((x) => x * 0.5)],
    ['rounded to f16', right.map((x) => Math.f16round(x))],
    ['not a number', right.with(8, NaN)],
    ['unknown', right.map((x, i) => x + Math.cos(i * 0.3))],
  ])('recognises %s', (symptom, received) => expect(symptomOf(new Float32Array(received))).toBe(symptom));
});
