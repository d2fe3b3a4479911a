// Two small trained models with values published by others, through the same layers as the default model: an Arabic-English
// transliterator (CTranslate2's tests) and the story teller stories260K (llama2.c).
import { forward, generate } from '@transept/generate';
import { loadModel, parametersOf } from '@transept/models';
import type { LoadedModel } from '@transept/models';
import { readJson } from '@transept/checkpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices } from './devices.ts';
import { repository } from './goldens.ts';

interface Transliteration {
  readonly source_ids: readonly number[];
  readonly greedy_ids: readonly number[];
  readonly greedy_logprob: number;
  readonly encoder_output: readonly number[][];
  readonly decoder_logits: readonly number[][];
  readonly beam5_hyps_sum_logprob: readonly { readonly tokens: readonly string[]; readonly logprob: number }[];
}

const arenFiles = repository('fixtures/aren-transliteration');
const arenConfig = await readJson(arenFiles, 'config.json');
const targetVocab = arenConfig['target_vocab'] as string[];
const sourceVocab = arenConfig['source_vocab'] as string[];
const { cases } = (await readJson(arenFiles, 'golden.json')) as unknown as { cases: readonly Transliteration[] };
const storyFiles = repository('fixtures/stories260k-llama');
const story = (await readJson(storyFiles, 'golden.json')) as unknown as {
  readonly ids: readonly number[];
  readonly logits: readonly number[][];
  readonly greedy_ids: readonly number[];
  readonly greedy_text: string;
};
const storyVocab = (await readJson(storyFiles, 'tokenizer-llama2c.json'))['vocab'] as string[];

const worst = (expected: readonly number[][], actual: Float32Array): number => {
  const flat = expected.flat();
  expect(actual.length).toBe(flat.length);
  return flat.reduce((w, x, i) => Math.max(w, Math.abs(x - actual[i]!)), 0);
};
const logSoftmax = (row: Float32Array): number[] => {
  const max = Math.max(...row);
  const norm = max + Math.log(row.reduce((s, x) => s + Math.exp(x - max), 0));
  return [...row].map((x) => x - norm);
};

for (const { name, bound, missing, open } of devices) {
  const why = missing ? ` (missing: ${missing})` : '';

  describe.skipIf(missing)(`aren-transliteration on ${name}${why}`, () => {
    let model: LoadedModel;
    beforeAll(async () => {
      model = await loadModel(arenFiles, await open(), { modelType: 'opennmt' });
    });
    afterAll(() => {
      model[Symbol.dispose]();
      model.backend[Symbol.dispose]();
    });
    const [bos, eos] = [1, 2];
    const options = { decoderStartTokenId: bos, eosTokenId: eos, padTokenId: 0, maxNewTokens: 30 };

    it('computes the published logits', async () => {
      for (const { source_ids, greedy_ids, encoder_output, decoder_logits } of cases) {
        const out = await forward(model, { inputIds: [source_ids], decoderInputIds: [greedy_ids] });
        expect(worst(encoder_output, out['encoder_last_hidden_state']!.data)).toBeLessThanOrEqual(bound);
        expect(worst(decoder_logits, out['logits']!.data)).toBeLessThanOrEqual(bound);
      }
    });

    it('gives the published log-probabilities', async () => {
      const scored = (await arenFiles.read('score_batch.json')) as Uint8Array;
      const rows = JSON.parse(new TextDecoder().decode(scored)) as {
        source: string[];
        target: string[];
        ctranslate2_expected: number[];
      }[];
      for (const row of rows) {
        const target = row.target.map((t) => targetVocab.indexOf(t));
        const inputIds = [row.source.map((s) => sourceVocab.indexOf(s))];
        const { logits } = await forward(model, { inputIds, decoderInputIds: [[bos, ...target]] });
        const width = logits!.shape.at(-1)!;
        [...target, eos].forEach((id, t) => {
          const logProbs = logSoftmax(logits!.data.subarray(t * width, (t + 1) * width));
          expect(Math.abs(logProbs[id]! - row.ctranslate2_expected[t]!)).toBeLessThanOrEqual(bound);
        });
      }
    });

    it('transliterates greedily, all sources in one batch', async () => {
      const { sequences } = await generate(model, { inputIds: cases.map((c) => c.source_ids) }, options);
      cases.forEach((c, i) =>
        expect([...sequences[i]!].slice(0, c.greedy_ids.length + 1)).toEqual([...c.greedy_ids, eos]),
      );
    });

    it('ends no sooner than it may, as where the host chooses', async () => {
      // A length that is no multiple of eight.
      const inputIds = Array.from({ length: 16 }, (_, r) =>
        [...cases[r % cases.length]!.source_ids, 3, 3, 3].slice(0, 11),
      );
      for (const minNewTokens of [12, 3]) {
        const call = { ...options, minNewTokens, suppressTokens: [0], beginSuppressTokens: [9] };
        const { sequences, lengths } = await generate(model, { inputIds }, call);
        const onHost = await generate(model, { inputIds }, { ...call, stepScores: true });
        expect({ sequences, lengths }).toEqual({ sequences: onHost.sequences, lengths: onHost.lengths });
        expect(Math.min(...lengths)).toBeGreaterThan(minNewTokens);
      }
    });

    it('finds the published hypotheses with 5 beams', async () => {
      const { sequences, scores } = await generate(
        model,
        { inputIds: cases.map((c) => c.source_ids) },
        { ...options, numBeams: 5, numReturnSequences: 5, lengthPenalty: 0, earlyStopping: 'never' },
      );
      cases.forEach((c, i) => {
        const { tokens, logprob } = c.beam5_hyps_sum_logprob[0]!;
        const best = [...sequences[5 * i]!];
        expect(best.slice(1, best.indexOf(eos)).map((id) => targetVocab[id])).toEqual(tokens);
        expect(Math.abs(scores![5 * i]! - logprob)).toBeLessThanOrEqual(1e-3);
      });
    });
  });

  it.skipIf(missing).each([NaN, Infinity])(
    `beams of logits that hold %d are refused on ${name}${why}`,
    async (value) => {
      using backend = await open();
      using model = await loadModel(arenFiles, backend, { modelType: 'opennmt' });
      const bias = parametersOf(model.model).find((parameter) => parameter.name === 'decoder.projection.bias')!;
      backend.write(model.parameter(bias), Float32Array.of(value), 4 * 17);
      const inputs = { inputIds: [cases[0]!.source_ids] };
      const beams = generate(model, inputs, { decoderStartTokenId: 1, eosTokenId: 2, maxNewTokens: 3, numBeams: 2 });
      await expect(beams).rejects.toThrow('beamSearch: the logits of row 0 hold NaN or infinity');
    },
  );

  describe.skipIf(missing)(`stories260k-llama on ${name}${why}`, () => {
    let model: LoadedModel;
    beforeAll(async () => {
      model = await loadModel(storyFiles, await open());
    });
    afterAll(() => {
      model[Symbol.dispose]();
      model.backend[Symbol.dispose]();
    });

    it('computes the published logits', async () => {
      const { logits } = await forward(model, { inputIds: [story.ids] });
      expect(worst(story.logits, logits!.data)).toBeLessThanOrEqual(bound);
    });

    it('tells the published story, character by character', async () => {
      const maxLength = story.greedy_ids.length;
      const { sequences } = await generate(model, { inputIds: [[1]] }, { maxLength, eosTokenId: 2 });
      expect([...sequences[0]!]).toEqual(story.greedy_ids);
      const text = [...sequences[0]!]
        .slice(1)
        .map((id) => storyVocab[id])
        .join('');
      expect(
        text.replace(/<0x([0-9A-F]{2})>/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))).trim(),
      ).toBe(story.greedy_text.trim());
    });

    it('goes on from prompts of unequal length as it does from each alone', async () => {
      const prompts = [story.greedy_ids.slice(0, 9), story.greedy_ids.slice(0, 4), story.greedy_ids.slice(0, 17)];
      const options = { maxNewTokens: 12, eosTokenId: 2, padTokenId: 0 };
      const together = await generate(model, { inputIds: prompts }, options);
      prompts.forEach((p, i) => {
        expect([...together.sequences[i]!].slice(17 - p.length)).toEqual(story.greedy_ids.slice(0, p.length + 12));
      });
    });
  });
}
