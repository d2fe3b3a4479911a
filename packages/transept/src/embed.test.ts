import { forward } from '@transept/generate';
import type { Pooling } from '@transept/generate';
import { describe, expect, test } from 'vitest';
import { cosine, embed, rank, search } from './embed.ts';
import type { TextModel } from './load.ts';
import { openFixture } from './testing/models.ts';

const vocabSize = 93;
const open = (added?: Readonly<Record<string, unknown>>): Promise<TextModel> =>
  openFixture('bert-base', vocabSize, added);
const texts = ['w10 w20 w30', 'w40', 'w50 w51 w52 w53 w54 w55', ''];
const plain = await open();

/** Hidden states of one text by itself, [T][C]. */
async function hiddenStates(text: string): Promise<number[][]> {
  const ids = plain.tokenizer!.ids(text);
  const { last_hidden_state: hidden } = await forward(plain.loaded, { inputIds: [ids] });
  const width = hidden!.shape[2]!;
  return ids.map((_, t) => [...hidden!.data.subarray(t * width, (t + 1) * width)]);
}

const weighted = (states: number[][], weights: number[], divisor: number): number[] =>
  states[0]!.map((_, c) => states.reduce((sum, state, t) => sum + state[c]! * weights[t]!, 0) / divisor);

const meanings: Readonly<Record<Pooling, (states: number[][]) => number[]>> = {
  cls: (states) => states[0]!,
  lastToken: (states) => states.at(-1)!,
  mean: (states) =>
    weighted(
      states,
      states.map(() => 1),
      states.length,
    ),
  meanSqrtLength: (states) =>
    weighted(
      states,
      states.map(() => 1),
      Math.sqrt(states.length),
    ),
  weightedMean: (states) =>
    weighted(
      states,
      states.map((_, t) => t + 1),
      (states.length * (states.length + 1)) / 2,
    ),
  max: (states) => states[0]!.map((_, c) => Math.max(...states.map((state) => state[c]!))),
};

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, 4);
}

const unit = (vector: number[]): number[] => vector.map((x) => x / Math.hypot(...vector));

describe('vectors', () => {
  test('come for one when another, who asked first, gave up', async () => {
    const abort = new AbortController();
    const has: TextModel['files']['has'] = async (path, options) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      options?.signal?.throwIfAborted();
      return plain.files.has(path, options);
    };
    const slow: TextModel = { ...plain, files: { ...plain.files, has } };
    const [first, second] = [embed(slow, texts, { signal: abort.signal }), embed(slow, texts)];
    abort.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expectNear((await second)[0]!, (await embed(plain, texts))[0]!);
  });

  test.each(Object.keys(meanings) as Pooling[])(
    '%s over the real tokens of each text, whatever its batch',
    async (pooling) => {
      const vectors = await embed(plain, texts, { pooling, normalize: false, batchSize: 3 });
      for (const [i, text] of texts.entries()) expectNear(vectors[i]!, meanings[pooling](await hiddenStates(text)));
    },
  );

  test('the mean of length one where the folder says nothing', async () => {
    const [vector] = await embed(plain, [texts[0]!]);
    expectNear(vector!, unit(meanings.mean(await hiddenStates(texts[0]!))));
  });

  test('as the files of sentence-transformers say', async () => {
    const model = await open({
      'modules.json': [
        { idx: 0, type: 'sentence_transformers.models.Transformer', path: '' },
        { idx: 1, type: 'sentence_transformers.models.Pooling', path: '1_Pooling' },
      ],
      '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_max_tokens: true },
      'sentence_bert_config.json': { max_seq_length: 4, do_lower_case: true },
      'config_sentence_transformers.json': { prompts: { query: 'w7 ' }, default_prompt_name: null },
    });
    const both = (states: number[][]): number[] => [...meanings.cls(states), ...meanings.max(states)];
    const [cut, asked, given] = [
      await embed(model, ['W10 w20 w30 w31']),
      await embed(model, ['w10'], { promptName: 'query' }),
      await embed(model, ['w10'], { prompt: 'w8 w9 ' }),
    ];
    expectNear(cut[0]!, both(await hiddenStates('w10 w20')));
    expectNear(asked[0]!, both(await hiddenStates('w7 w10')));
    expectNear(given[0]!, both(await hiddenStates('w8 w9')));
    await expect(embed(model, ['w10'], { promptName: 'passage' })).rejects.toThrow(
      'no prompt "passage"; this model has query',
    );
  });

  test.each([
    [{ 'modules.json': [{ type: 'a.Transformer' }, { type: 'a.Dense', path: '2_Dense' }] }, 'step 1 is "a.Dense"'],
    [{ 'modules.json': [{ type: 'a.Transformer', path: '' }] }, 'no step is a Pooling'],
    [{ 'modules.json': { type: 'a.Pooling' } }, 'it is no list'],
    [
      { 'modules.json': [{ type: 'a.Pooling', path: 'p' }], 'p/config.json': { include_prompt: false } },
      '"include_prompt": false is not supported',
    ],
    [{ 'config_sentence_transformers.json': { default_prompt_name: 'query' } }, '"query" is not among the prompts'],
  ])('what is not supported is refused by name: %j', async (added, message) => {
    await expect(embed(await open(added), ['w10'])).rejects.toThrow(message);
  });

  test('of a decoder-only model the last token has seen the whole text', async () => {
    const decoder = await openFixture('gpt2', 90);
    const [vector] = await embed(decoder, ['w10 w20'], { pooling: 'lastToken', normalize: false });
    const ids = decoder.tokenizer!.ids('w10 w20');
    const outputs = await forward(decoder.loaded, { inputIds: [ids] }, { hiddenStates: true });
    const { data } = Object.entries(outputs).findLast(([name]) => name.startsWith('hidden_states'))![1];
    expectNear(vector!, [...data.slice(-vector!.length)]);
  });

  test('a model that is no encoder, or has no tokenizer', async () => {
    const translator = await openFixture('bart', 90);
    await expect(embed(translator, ['w10'])).rejects.toThrow('embed: bart is a "bart", which is no text encoder');
    await expect(embed({ ...plain, tokenizer: undefined }, ['w10'])).rejects.toThrow('has no tokenizer.json');
  });
});

describe('search', () => {
  test('best first, as many as asked for', async () => {
    const lines = ['w60 w61', 'w10 w20 w30', 'w10 w20'];
    const vectors = await embed(plain, ['w10 w20 w30', ...lines]);
    const matches = await search(plain, 'w10 w20 w30', lines, { top: 2 });
    expect(matches.map(({ index, text }) => lines[index] === text)).toEqual([true, true]);
    expect(matches[0]!.index).toBe(1);
    expect(matches[0]!.score).toBeCloseTo(1, 5);
    expect(matches[1]!.score).toBeCloseTo(
      Math.max(cosine(vectors[0]!, vectors[1]!), cosine(vectors[0]!, vectors[3]!)),
      5,
    );
  });

  test('equal scores keep their order; a vector without length is like none', () => {
    const at = (...xs: number[]): Float32Array => Float32Array.from(xs);
    expect(rank(at(1, 0), [at(0, 0), at(2, 0), at(0, 3), at(5, 0), at(-1, 0)]).map(({ index }) => index)).toEqual([
      1, 3, 0, 2, 4,
    ]);
  });
});
