// Calls of generate that are refused, and what a call must not depend on.
import { fileURLToPath } from 'node:url';
import { folder } from '@transept/checkpoint';
import { loadModel } from '@transept/models';
import type { LoadedModel, LoadModelOptions } from '@transept/models';
import { reference } from '@transept/tensor';
import type { Backend, Plan, PlannedBuffer } from '@transept/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generate } from './generate.ts';
import { pooled } from './pooled.ts';
import { programsOf } from './programs.ts';

const open = (name: string, options?: LoadModelOptions, backend: Backend = reference()): Promise<LoadedModel> =>
  loadModel(folder(fileURLToPath(new URL(`../../../fixtures/hf/${name}`, import.meta.url))), backend, options);
let decoder: LoadedModel;
let translator: LoadedModel;
beforeAll(async () => {
  [decoder, translator] = await Promise.all([open('llama'), open('bart')]);
});
afterAll(() => {
  for (const model of [decoder, translator]) model[Symbol.dispose]();
});

test.each([
  [{ forcedBosTokenId: 101 }, 'generate: option forcedBosTokenId names token 101; the vocabulary has 101 tokens'],
  [{ forcedEosTokenId: [2, 500] }, 'generate: option forcedEosTokenId names token 500; the vocabulary has 101 tokens'],
  [{ badWordsIds: [[7], [3, 101]] }, 'generate: option badWordsIds names token 101; the vocabulary has 101 tokens'],
  [{ sequenceBias: [[[102], 1]] }, 'generate: option sequenceBias names token 102; the vocabulary has 101 tokens'],
  [
    { badWordsIds: [[200]], numBeams: 2 },
    'generate: option badWordsIds names token 200; the vocabulary has 101 tokens',
  ],
] as const)('%j is refused', async (options, message) => {
  const generated = generate(translator, { inputIds: [[5, 6, 2]] }, { maxNewTokens: 3, ...options });
  await expect(generated).rejects.toThrow(message);
});

test.each([
  [{ inputIds: [[5]], tokenTypeIds: [[0]] }, 'generate: there is no input "tokenTypeIds"; the inputs are inputIds, '],
  [{ inputIds: [[5]], attentionMask: [[1], [1]] }, 'input_ids: there are 1 rows and a mask of 2; they must be equal'],
])('%j is refused', async (inputs, message) => {
  await expect(generate(decoder, inputs, { maxNewTokens: 1 })).rejects.toThrow(message);
});

test.each([
  [{ inputIds: [[5], []] }, 'input_ids: row 1 has no token; give at least one'],
  [
    { inputIds: [[5, 6], [7, 8]], attentionMask: [[0, 0], [0, 1]] }, // prettier-ignore
    'input_ids: row 0 has no token that counts: its mask is 0 for all 2 ids; give at least one',
  ],
])('%j has nothing to go on from, as a prompt or as a source', async (inputs, message) => {
  for (const model of [decoder, translator])
    await expect(generate(model, inputs, { maxNewTokens: 1 })).rejects.toThrow(message);
});

test('there may be no limit but the end token', async () => {
  const inputs = { inputIds: [[5, 6]] };
  const { sequences } = await generate(decoder, inputs, { maxNewTokens: 4, eosTokenId: null });
  const end = sequences[0]!.at(-1)!;
  const most = Number.MAX_SAFE_INTEGER - 10;
  const unlimited = await generate(decoder, inputs, { maxNewTokens: most, eosTokenId: end });
  expect(sequences[0]!.subarray(0, unlimited.lengths[0])).toEqual(unlimited.sequences[0]);
});

test.each(['llama', 'bart'])('%s goes on from keys and values kept as f16, in half the memory', async (name) => {
  using model = await open(name, { keyValueCache: 'f16' });
  const exact = name === 'llama' ? decoder : translator;
  // Longer than the first caches, so that they grow, and with beams that change places.
  const inputs = { inputIds: [[5, 6, 7], [9, 8]] }; // prettier-ignore
  for (const more of [{ maxNewTokens: 40 }, { maxNewTokens: 8, numBeams: 3 }]) {
    const options = { ...more, eosTokenId: null };
    const [kept, expected] = [await generate(model, inputs, options), await generate(exact, inputs, options)];
    expect(kept.sequences).toEqual(expected.sequences);
  }
  const sizes = { rows: 2, capacity: 32 };
  const caches = (plan: Plan | undefined): PlannedBuffer[] =>
    plan!.buffers.filter((b) => b.kind === 'bound' && /^c(ache|ross)/.test(b.name));
  const [half, whole] = [{ ...sizes, keyValueCache: 'f16' as const }, sizes].map((s) =>
    caches(programsOf(model.model, model.backend, s).at(-1)),
  );
  expect(half!.map((b) => 2 * b.bytes)).toEqual(whole!.map((b) => b.bytes));
  expect(half!.length).toBeGreaterThan(1);
});

test.each([
  [30, 1],
  [100, 2],
])('caches that end up not much larger are made so at once: %i tokens take %i programs', async (tokens, programs) => {
  const backend = reference();
  const steps: Plan[] = [];
  const { load } = backend;
  backend.load = (plan, ...rest) => {
    if (plan.name === 'llama step') steps.push(plan);
    return load.call(backend, plan, ...rest);
  };
  using model = await open('llama', {}, backend);
  await generate(model, { inputIds: [[5]] }, { maxNewTokens: tokens, minNewTokens: tokens });
  expect(steps).toHaveLength(programs);
});

test('what is drawn does not depend on longer prompts beside it', async () => {
  const options = { maxNewTokens: 6, doSample: true, topK: 0, temperature: 3, seed: 3, eosTokenId: null };
  const alone = await generate(decoder, { inputIds: [[5, 6]] }, options);
  const beside = await generate(decoder, { inputIds: [[5, 6], [5, 6, 7, 8, 9]] }, options); // prettier-ignore
  expect(beside.sequences[0]!.slice(3)).toEqual(alone.sequences[0]);
});

test('rows are padded to the length that suits how many there are', async () => {
  const inner = reference();
  const lengths: number[] = [];
  const backend: Backend = {
    ...inner,
    load(plan, ...rest) {
      const ids = plan.buffers.find((b) => b.kind === 'bound' && ['ids', 'prompt'].includes(b.name));
      if (ids?.kind === 'bound') lengths.push(ids.shape.at(-1)!);
      return inner.load(plan, ...rest);
    },
  };
  using prompts = await open('llama', {}, backend);
  using sources = await open('bart', {}, backend);
  const row = [5, 6, 7, 8, 9, 10, 11, 12, 13];
  for (const rows of [1, 16]) {
    const inputs = { inputIds: Array.from({ length: rows }, () => row) };
    for (const model of [prompts, sources]) await generate(model, inputs, { maxNewTokens: 1 });
    await pooled(prompts, inputs.inputIds);
  }
  await generate(prompts, { inputIds: [row] }, { maxNewTokens: 1, doSample: true, numReturnSequences: 16 });
  expect(lengths).toEqual([16, 16, 16, 12, 12, 12, 12]);
});
