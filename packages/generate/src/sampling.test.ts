import { describe, expect, it } from 'vitest';
import { argmax, draw, philox, uniform, uniforms } from './sampling.ts';

describe('argmax', () => {
  it('takes the lowest of equal tokens', () => {
    expect(argmax([1, 5, 5, 2])).toBe(1);
    expect(argmax([-Infinity, -Infinity])).toBe(0);
  });
});

describe('draw', () => {
  it('passes the cumulated probabilities', () => {
    const scores = Float64Array.from([0.2, 0, 0.5, 0.3], Math.log);
    expect([0.1, 0.19, 0.21, 0.69, 0.71, 0.999999].map((u) => draw(scores, u))).toEqual([0, 0, 2, 2, 3, 3]);
  });

  it('never gives a removed token', () => {
    const scores = Float64Array.of(-Infinity, 0, -Infinity);
    for (const u of [1e-16, 0.5, 1 - 1e-16]) expect(draw(scores, u)).toBe(1);
  });

  it('follows the distribution', () => {
    const scores = Float64Array.from([0.1, 0.6, 0.3], Math.log);
    const counts = [0, 0, 0];
    const random = uniforms(42);
    for (let i = 0; i < 20000; i++) counts[draw(scores, random())]!++;
    [0.1, 0.6, 0.3].forEach((p, token) => expect(counts[token]! / 20000).toBeCloseTo(p, 1.8));
  });
});

describe('philox', () => {
  // Known answers of the Random123 library for philox4x32-10.
  it('gives the published numbers', () => {
    const f = 0xffffffff;
    expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(philox([f, f, f, f], [f, f])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });
});

describe('uniform', () => {
  it('is repeatable, differs by seed, stream and position, and lies inside (0, 1)', () => {
    expect(uniform(1, 2, 3)).toBe(uniform(1, 2, 3));
    const all = new Set([
      uniform(1, 2, 3),
      uniform(2, 2, 3),
      uniform(1, 3, 3),
      uniform(1, 2, 4),
      uniform(1 + 2 ** 33, 2, 3),
    ]);
    expect(all.size).toBe(5);
    for (let i = 0; i < 1000; i++) {
      const u = uniform(7, 0, i);
      expect(u > 0 && u < 1).toBe(true);
    }
  });
});
