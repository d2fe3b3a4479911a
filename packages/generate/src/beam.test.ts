import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BeamSearch, type BeamLogits } from './beam.ts';
import { TokenChooser } from './choose.ts';
import { resolveLengths } from './options.ts';
import { buildChain, planGreedy } from './processors/chain.ts';
import { resolveOptions } from './resolve.ts';
import { argmax } from './sampling.ts';
import { logSumExp } from './softmax.ts';

interface Case {
  readonly vocabulary: number;
  readonly seed: number;
  readonly boost: number;
  readonly boosted: number[];
  readonly prompts: number[][];
  readonly padding: number[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly sequences: number[][];
  readonly scores?: number[];
  readonly beam_indices?: number[][];
}

const url = new URL('../../../fixtures/hf-generation/cases.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] };

/** The model of the fixture: a hash of the last two tokens and the length; some tokens are likelier than others. */
function logitsOf({ vocabulary, seed, boost, boosted }: Case, ids: readonly number[]): Float32Array {
  const mix = (state: number, x: number): number => {
    let h = Math.imul(state ^ x, 0x9e3779b1) >>> 0;
    h ^= h >>> 15;
    h = Math.imul(h, 0x85ebca6b) >>> 0;
    return (h ^ (h >>> 13)) >>> 0;
  };
  const state = mix(mix(mix(seed, ids.at(-1)!), ids.at(-2) ?? 9999), ids.length);
  return Float32Array.from(
    { length: vocabulary },
    (_, v) => (mix(state, v) / 2 ** 32) * 6 - 3 + (boosted.includes(v) ? boost : 0),
  );
}

const batchLogits = (example: Case, rows: readonly (readonly number[])[]): Float32Array =>
  Float32Array.from(rows.flatMap((ids) => [...logitsOf(example, ids)]));

function withNorms(logits: Float32Array, vocabulary: number): BeamLogits {
  const row = (r: number): Float64Array => Float64Array.from(logits.subarray(r * vocabulary, (r + 1) * vocabulary));
  return { logits, norms: Float64Array.from({ length: logits.length / vocabulary }, (_, r) => logSumExp(row(r))) };
}

function prepare({ prompts, padding, options: call }: Case) {
  const options = resolveOptions({ call });
  const lengths = resolveLengths(options, prompts[0]!.length);
  return { options, lengths, chain: buildChain(options, { lengths, padding }) };
}

describe('BeamSearch', () => {
  const beams = cases.filter(({ options }) => (options.num_beams as number) > 1);

  it.each(beams.map((example, i) => [i, example.options, example] as const))(
    'finds what transformers finds: %i %o',
    (_, __, example) => {
      const { options, lengths, chain } = prepare(example);
      const search = new BeamSearch(example.prompts, { options, lengths, chain });
      let rows = example.prompts.flatMap((prompt) => new Array<number[]>(options.numBeams).fill(prompt));
      for (let more = true; more;) {
        const { tokens, sources, done } = search.step(withNorms(batchLogits(example, rows), example.vocabulary));
        rows = Array.from(sources, (source, r) => [...rows[source]!, tokens[r]!]);
        more = !done;
      }
      const result = search.result();
      expect(result.sequences).toEqual(example.sequences);
      expect(result.beamIndices).toEqual(example.beam_indices);
      result.scores.forEach((score, i) => expect(score).toBeCloseTo(example.scores![i]!, 4));
    },
  );

  it('covers every kind of ending', () => {
    const kinds = new Set(
      beams.map(({ options }) => `${options.early_stopping as string} ${options.length_penalty as number}`),
    );
    expect(kinds.size).toBe(15);
  });

  it('refuses logits that are no numbers or too few', () => {
    const example = beams[0]!;
    const { options, lengths, chain } = prepare(example);
    const rows = example.prompts.length * options.numBeams;
    const search = (): BeamSearch => new BeamSearch(example.prompts, { options, lengths, chain });
    const logits = new Float32Array(rows * example.vocabulary);
    for (const norm of [NaN, Infinity]) {
      const norms = new Float32Array(rows).fill(norm, 1);
      expect(() => search().step({ logits, norms })).toThrow(/logits of row 1 hold NaN/);
    }
    const tooMany = { logits: new Float32Array(logits.length + 1), norms: new Float32Array(rows) };
    expect(() => search().step(tooMany)).toThrow(/logits for each beam; expected a whole number/);
  });

  it('draws candidates without replacement when sampling, more often the likely ones', () => {
    const call = { num_beams: 2, num_return_sequences: 2, do_sample: true, top_k: 0, max_new_tokens: 1 };
    const options = resolveOptions({ call });
    const lengths = resolveLengths(options, 1);
    const counts = [0, 0, 0, 0];
    let seed = 1;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let i = 0; i < 2000; i++) {
      const search = new BeamSearch([[0]], { options, lengths, chain: [], random });
      search.step(withNorms(Float32Array.from([0.6, 0.3, 0.1, 0, 1, 1, 1, 1], Math.log), 4));
      const { sequences, scores } = search.result();
      expect(sequences[0]).not.toEqual(sequences[1]);
      expect(scores[0]).toBeGreaterThan(scores[1]!);
      for (const [, token] of sequences) counts[token!]!++;
    }
    // P(token among two draws without replacement), for 0.6, 0.3, 0.1.
    [
      0.6 + 0.3 * (6 / 7) + 0.1 * (6 / 9),
      0.3 + 0.6 * (3 / 4) + 0.1 * (3 / 9),
      0.1 + 0.6 * (1 / 4) + 0.3 * (1 / 7),
    ].forEach((expected, token) => expect(counts[token]! / 2000).toBeCloseTo(expected, 1));
    expect(counts[3]).toBe(0);
  });
});

describe('greedy search', () => {
  const greedy = cases.filter(({ options }) => options.num_beams === 1);

  it.each(greedy.map((example, i) => [i, example.options, example] as const))(
    'finds what transformers finds: %i %o',
    (_, __, example) => {
      const { options, lengths, chain } = prepare(example);
      const chooser = new TokenChooser(example.prompts, chain, options);
      const plan = planGreedy(chain);
      const rows = example.prompts.map((prompt) => [...prompt]);
      const ended = rows.map(() => false);
      const pad = options.padTokenId ?? options.eosTokenId[0];
      for (let length = lengths.promptLength; length < lengths.maxLength && !ended.every(Boolean); length++) {
        const logits = batchLogits(example, rows);
        const tokens = chooser.next(logits);
        rows.forEach((ids, r) => {
          if (!plan.needsHost && !ended[r]) {
            const scores = logits.slice(r * example.vocabulary, (r + 1) * example.vocabulary);
            for (const token of plan.bannedAt(length)) scores[token] = -Infinity;
            expect(plan.forcedAt(length) ?? argmax(scores)).toBe(tokens[r]);
          }
          ids.push(ended[r] ? pad! : tokens[r]!);
          ended[r] ||= options.eosTokenId.includes(ids.at(-1)!);
        });
      }
      expect(rows).toEqual(example.sequences);
    },
  );
});
