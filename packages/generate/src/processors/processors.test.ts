import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folder, openCheckpoint } from '@transept/checkpoint';
import type { GenerationOptions } from '../options.ts';
import { resolveOptions } from '../resolve.ts';
import { applyChain, buildChain, planGreedy, removeInvalidValues, type Chain } from './chain.ts';
import { topP } from './sampling.ts';
import { beginSuppressTokens } from './words.ts';

interface Case {
  readonly name: string;
  readonly processor: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly output: string;
}
interface Group {
  readonly name: string;
  readonly rows: number;
  readonly vocab: number;
  readonly logits: string;
  readonly input_ids: string;
  readonly cases: readonly Case[];
}

const path = fileURLToPath(new URL('../../../../fixtures/hf-processors', import.meta.url));
const { groups } = JSON.parse(readFileSync(`${path}/golden.json`, 'utf8')) as { groups: Group[] };
const arrays = await openCheckpoint(folder(path), { file: 'golden.safetensors' });

const sampling = new Set([
  'temperature',
  'top_k',
  'top_p',
  'min_p',
  'top_h',
  'typical_p',
  'epsilon_cutoff',
  'eta_cutoff',
]);

/** The chain that a call with these arguments makes. */
function chainOf({ processor, args }: Case): Chain {
  const {
    prompt_length,
    begin_index,
    encoder_input_ids,
    prompt_ignore_length,
    max_length,
    order,
    min_tokens_to_keep,
    ...rest
  } = args as Record<string, number> & {
    encoder_input_ids?: number[][];
    order?: string[];
    prompt_ignore_length?: number | number[];
  };
  const names = order ?? [processor];
  const call: Record<string, unknown> = { top_k: 0, ...rest };
  if (names.some((name) => sampling.has(name))) call.do_sample = true;
  // Sampling with beams keeps one token more than there are end tokens.
  if (min_tokens_to_keep !== undefined && min_tokens_to_keep > 1) {
    call.num_beams = 2;
    call.eos_token_id = Array.from({ length: min_tokens_to_keep - 1 }, (_, i) => i);
  }
  if (processor === 'renormalize_logits') call.renormalize_logits = true;
  const options = resolveOptions({ call: call as GenerationOptions });
  const promptLength = prompt_length ?? begin_index ?? 1;
  const lengths = {
    promptLength,
    maxLength: max_length ?? 1000,
    minLength: options.minNewTokens ? 0 : options.minLength,
  };
  const padding = prompt_ignore_length === undefined ? undefined : [prompt_ignore_length].flat();
  return buildChain(options, {
    lengths,
    ...(encoder_input_ids && { sources: encoder_input_ids }),
    ...(padding && { padding: padding.length === 1 ? new Array<number>(100).fill(padding[0]!) : padding }),
  });
}

describe.each(groups.map((group) => [group.name, group] as const))(
  'processors of transformers, group %s',
  (_, group) => {
    it.each(group.cases.map((example) => [example.name, example] as const))('%s', async (_, example) => {
      const shape = [group.rows, group.vocab];
      const logits = await arrays.read(group.logits, { as: 'f32', shape });
      const expected = await arrays.read(example.output, { as: 'f32', shape });
      const inputIds = await arrays.read(group.input_ids, { as: 'i32' });
      const length = inputIds.length / group.rows;
      const chain = chainOf(example);
      expect(chain).toHaveLength((example.args.order as string[] | undefined)?.length ?? 1);
      for (let row = 0; row < group.rows; row++) {
        const scores = Float64Array.from(logits.subarray(row * group.vocab, (row + 1) * group.vocab));
        applyChain(chain, scores, { ids: inputIds.subarray(row * length, (row + 1) * length), prompt: row });
        for (let v = 0; v < group.vocab; v++) {
          const right = expected[row * group.vocab + v]!;
          const near = scores[v] === right || Math.abs(scores[v]! - right) < 1e-5 * (1 + Math.abs(right));
          if (!near) expect.fail(`row ${row}, token ${v}: ${scores[v]}; expected ${right}`);
        }
      }
    });
  },
);

describe('buildChain', () => {
  const lengths = { promptLength: 1, maxLength: 20, minLength: 0 };
  const names = (call: Record<string, unknown>, sources?: number[][]): string[] =>
    buildChain(resolveOptions({ call }), { lengths, ...(sources && { sources }) }).map(({ name }) => name);

  it('is empty when nothing is asked for', () => {
    expect(names({})).toEqual([]);
    expect(names({ temperature: 0.5, top_k: 10, top_p: 0.5 })).toEqual([]);
  });

  it('puts everything into the order of transformers', () => {
    const call = {
      renormalize_logits: true,
      eta_cutoff: 0.1,
      epsilon_cutoff: 0.1,
      typical_p: 0.5,
      min_p: 0.1,
      top_p: 0.5,
      top_k: 5,
      top_h: 0.5,
      temperature: 2,
      do_sample: true,
      begin_suppress_tokens: [1],
      suppress_tokens: [2],
      exponential_decay_length_penalty: [1, 2],
      remove_invalid_values: true,
      forced_eos_token_id: 3,
      forced_bos_token_id: 4,
      min_new_tokens: 1,
      min_length: 2,
      bad_words_ids: [[1]],
      encoder_no_repeat_ngram_size: 2,
      no_repeat_ngram_size: 2,
      repetition_penalty: 2,
      encoder_repetition_penalty: 2,
      sequence_bias: [[[1], 1]],
      eos_token_id: 5,
    };
    lengths.minLength = 2;
    expect(names(call, [[1]])).toEqual([
      'sequenceBias',
      'encoderRepetitionPenalty',
      'repetitionPenalty',
      'noRepeatNgramSize',
      'encoderNoRepeatNgramSize',
      'badWordsIds',
      'minLength',
      'minNewTokens',
      'forcedBosTokenId',
      'forcedEosTokenId',
      'removeInvalidValues',
      'exponentialDecayLengthPenalty',
      'suppressTokens',
      'beginSuppressTokens',
      'temperature',
      'topH',
      'topK',
      'topP',
      'minP',
      'typicalP',
      'epsilonCutoff',
      'etaCutoff',
      'renormalizeLogits',
    ]);
    lengths.minLength = 0;
  });

  it('lets the first token that is free begin after a forced one', () => {
    const options = resolveOptions({ call: { forced_bos_token_id: 4, begin_suppress_tokens: [1] } });
    const chain = buildChain(options, { lengths });
    const scores = new Float64Array(5);
    applyChain(chain, scores, { ids: [0, 4], prompt: 0 });
    expect([...scores]).toEqual([0, -Infinity, 0, 0, 0]);
  });

  it('names a banned token that the vocabulary does not have', () => {
    const chain = buildChain(resolveOptions({ call: { bad_words_ids: [[7]] } }), { lengths });
    expect(() => applyChain(chain, new Float64Array(5), { ids: [0], prompt: 0 })).toThrow(
      'generate: option badWordsIds names token 7; the vocabulary has 5 tokens',
    );
  });

  it('replaces scores that are no finite numbers', () => {
    const scores = Float64Array.of(NaN, Infinity, -Infinity, 2);
    removeInvalidValues.apply(scores, { ids: [], prompt: 0 });
    expect([...scores]).toEqual([0, 3.4028234663852886e38, -3.4028234663852886e38, 2]);
  });
});

describe('topP', () => {
  it('removes tokens up to exactly 1 - p, of equal ones those with the lower index', () => {
    const scores = new Float64Array(4);
    topP(0.5).apply(scores, { ids: [], prompt: 0 });
    expect([...scores]).toEqual([-Infinity, -Infinity, 0, 0]);
  });
});

describe('planGreedy', () => {
  const lengths = { promptLength: 1, maxLength: 10, minLength: 3 };
  const plan = (call: Record<string, unknown>) => planGreedy(buildChain(resolveOptions({ call }), { lengths }));

  it('leaves fixed bans, lengths and forced tokens to the device', () => {
    const greedy = plan({
      eos_token_id: 2,
      bad_words_ids: [[7], [2]],
      suppress_tokens: [5, 7],
      forced_eos_token_id: [2, 3],
      forced_bos_token_id: 9,
      renormalize_logits: true,
      begin_suppress_tokens: [6],
    });
    expect(greedy.needsHost).toBe(false);
    expect([1, 2, 3, 9].map(greedy.bannedAt)).toEqual([[2, 5, 7], [2, 5, 6, 7], [5, 7], [5, 7]]); // prettier-ignore
    expect(greedy.bannedAt(9)).toBe(greedy.bannedAt(3));
    expect([1, 2, 8, 9].map((length) => greedy.forcedAt(length))).toEqual([9, undefined, undefined, 2]);
  });

  it('reads scores where more is asked for', () => {
    expect(plan({ bad_words_ids: [[1, 2]] }).needsHost).toBe(true);
    expect(plan({ repetition_penalty: 1.1 }).needsHost).toBe(true);
    expect(plan({ bad_words_ids: [[1, 2]] }).bannedAt(1)).toEqual([]);
  });

  it('knows from where on there are no bans', () => {
    const greedy = plan({ eos_token_id: 2, bad_words_ids: [[2]] });
    expect([1, 2, 3].map(greedy.bansFrom)).toEqual([true, true, false]);
    expect(plan({ suppress_tokens: [5] }).bansFrom(1e9)).toBe(true);
    expect(plan({}).bansFrom(0)).toBe(false);
  });

  it('counts bans that come after a forced token', () => {
    const chain = buildChain(resolveOptions({ call: { forced_eos_token_id: [2, 3], suppress_tokens: [2] } }), {
      lengths,
    });
    expect(planGreedy(chain).forcedAt(9)).toBe(3);
    const late = [...chain, beginSuppressTokens([3], 9)];
    expect(planGreedy(late).forcedAt(9)).toBe(0);
  });
});
