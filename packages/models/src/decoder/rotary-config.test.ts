// Frequencies of every kind of scaling against those of transformers, and the ways to write them in a config.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inverseFrequencies } from '@transept/layers';
import { describe, expect, it } from 'vitest';
import { ConfigReader } from '../config.ts';
import type { Json } from '../config.ts';
import { rotaryConfig } from './rotary-config.ts';

interface Case {
  readonly headSize: number;
  readonly maxPositions: number;
  readonly parameters: Json;
  readonly length: number | null;
  readonly frequencies: readonly number[];
  readonly attention: number;
}

const file = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'hf-rotary', 'golden.json');
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] };
const read = (config: Json, headSize = 16, maxPositions = 128) =>
  rotaryConfig(new ConfigReader(config), { headSize, maxPositions });

describe('rotary embeddings', () => {
  for (const { headSize, maxPositions, parameters, length, frequencies, attention } of cases) {
    const { rope_type, rope_theta, ...rest } = parameters;
    const title = `${String(rope_type)} ${JSON.stringify(rest)}${length ? ` for ${length} positions` : ''}`;
    it(title, () => {
      const embedding = read({ rope_parameters: parameters }, headSize, maxPositions);
      const computed = inverseFrequencies(embedding, length ?? 1);
      expect(computed.length).toBe(frequencies.length);
      computed.forEach((f, i) => expect(Math.abs(f / frequencies[i]! - 1)).toBeLessThan(1e-12));
      const { scaling } = embedding;
      expect(scaling && 'attentionFactor' in scaling ? scaling.attentionFactor : 1).toBeCloseTo(attention, 12);
      // The older way to write the same.
      const { rope_type: type, partial_rotary_factor } = parameters;
      const older = {
        rope_theta,
        rope_scaling: { ...rest, type },
        ...(partial_rotary_factor ? { partial_rotary_factor } : {}),
      };
      expect(read(older, headSize, maxPositions)).toEqual(embedding);
    });
  }

  it('takes rope_scaling before rope_parameters, and their own keys before those at the top', () => {
    const both = { rope_theta: 5, rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_theta: 7 } };
    expect(read(both)).toEqual({ size: 16, theta: 5, scaling: { kind: 'linear', factor: 2 } });
    expect(read({ rope_theta: 5, rope_parameters: { rope_theta: 7 } }).theta).toBe(7);
    expect(read({ rope_theta: 5, rope_scaling: {} }).theta).toBe(5);
    expect(read({})).toEqual({ size: 16, theta: 10000, scaling: undefined });
  });

  it('takes the original context at the top before that of the parameters, and the trained one without both', () => {
    const scaling = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 };
    const original = (config: Json): unknown => (read(config).scaling as { original?: number }).original;
    expect(original({ rope_scaling: scaling, original_max_position_embeddings: 64 })).toBe(64);
    expect(original({ rope_scaling: scaling })).toBe(32);
    expect(original({ rope_scaling: { rope_type: 'yarn', factor: 4 } })).toBe(128);
  });

  it('refuses by name what it does not know', () => {
    expect(() => read({ rope_scaling: { type: 'mrope' } })).toThrow(
      /"rope_scaling": "rope_type": "mrope" is not supported/,
    );
    const short = { type: 'longrope', short_factor: [1], long_factor: [1] };
    expect(() => read({ rope_scaling: short })).toThrow(/"short_factor": it has 1 numbers; expected 8/);
    expect(() => read({ rope_scaling: { type: 'linear', factor: 'two' } })).toThrow(/"factor": it is "two"/);
    expect(() => read({ rope_scaling: { type: 'linear', factor: 0 } })).toThrow(
      /"factor": it is 0; expected a number above 0/,
    );
    expect(() => read({ rope_theta: -1 })).toThrow(/"rope_theta": it is -1/);
    const share = { rope_type: 'linear', factor: 2, partial_rotary_factor: 0 };
    expect(() => read({ rope_parameters: share })).toThrow(/"partial_rotary_factor": it is 0/);
    const odd = { rope_type: 'yarn', factor: 2, partial_rotary_factor: 0.45 };
    expect(() => read({ rope_parameters: odd })).toThrow(
      /7 of the 16 elements of a head are rotated; expected a share/,
    );
  });
});
