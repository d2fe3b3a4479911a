// Random cases: the same for the same seed, different for another, and small once they have shrunk.
import { trace } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { faults } from '../faults/run.ts';
import { sound } from '../faults/sound.ts';
import { runConformance } from '../run.ts';
import { randomCases } from './cases.ts';
import { Choices, smaller } from './choices.ts';

const graphs = (seed: number): string =>
  JSON.stringify(randomCases(seed).map((c) => trace(c.name, (g) => c.build(g)).graph.nodes));

describe('random cases', () => {
  it('are the same for the same seed', () => {
    expect(graphs(7)).toBe(graphs(7));
    expect(graphs(7)).not.toBe(graphs(8));
  });

  it('can be made again from what was drawn', () => {
    const first = new Choices(3);
    const drawn = [first.integer(5, 90), first.size(130), first.of(['a', 'b', 'c']), first.order(4)];
    const again = new Choices(99, first.drawn);
    expect([again.integer(5, 90), again.size(130), again.of(['a', 'b', 'c']), again.order(4)]).toEqual(drawn);
    expect([...smaller([0, 5])]).toEqual([
      [0, 0],
      [0, 2],
      [0, 4],
    ]);
  });

  it('shrink to the smallest that fails', async () => {
    const fault = faults.find((f) => f.name === 'the last of a vector of four missing');
    for await (const result of runConformance(sound(fault), { only: ['pointwise/random'] })) {
      if (result.outcome !== 'fail') continue;
      expect(result.smallest).toMatch(/out \[1\] = pointwise/);
      expect(result.wrong).toMatchObject({ of: 1, symptom: 'unwritten' });
      return;
    }
    expect.fail('no random case found the fault');
  });
});
