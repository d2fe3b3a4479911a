// The suite is tested itself: every seeded fault is caught, and the report points at the operation that is wrong.
import { describe, expect, it } from 'vitest';
import { runConformance } from '../run.ts';
import { faults, runFaults } from './run.ts';
import { sound } from './sound.ts';

describe('seeded faults', () => {
  it('are many, and their names are unique', () => {
    expect(faults.length).toBeGreaterThanOrEqual(150);
    expect(new Set(faults.map((f) => `${f.op}/${f.name}`)).size).toBe(faults.length);
  });

  it('are put into a backend that is right without them', async () => {
    for await (const { op, case: name, outcome } of runConformance(sound(), {
      fresh: () => sound(),
      only: ['epilogue', 'norm before', 'halves', 'stored:', 'attention/c', 'program/'],
    }))
      expect({ op, name, outcome }).not.toMatchObject({ outcome: 'fail' });
  });

  it.each(faults.map(({ op, name }) => `${op}/${name}`))('%s', async (title) => {
    for await (const { caught, blamed, by, reason } of runFaults({ only: [title] }))
      expect({ caught, blamed, by, reason }).toMatchObject({ caught: true, blamed: true });
  });
});
