// Texts together against each text by itself: padding must not show.
import { describe, expect, test } from 'vitest';
import { openFixture } from './testing/models.ts';
import { generateText, streamText } from './text.ts';
import type { TextOptions, TextResult } from './text.ts';

const vocabSize = 93;
const texts = ['w10 w11 w12 w13 w14 w15', 'w20', 'w30 w31 w32'];

describe.each(['llama', 'bart'])('%s', (name) => {
  test.each([1, 2])('texts together give what each gives by itself, with %i beams', async (numBeams) => {
    using model = await openFixture(name, vocabSize);
    const alone = async (options: TextOptions): Promise<TextResult[]> =>
      (await Promise.all(texts.map((text) => generateText(model, [text], options)))).flat();
    const shown = ({ text, sourceIds, ids }: TextResult): unknown => ({ text, sourceIds, ids });
    const free = await alone({ maxNewTokens: 6, numBeams: 1, eosTokenId: null });
    // A token that ends one of them early, and then padding follows.
    const eosTokenId = free[1]!.ids.at(-3)!;
    const options = { maxNewTokens: 6, numBeams, eosTokenId, padTokenId: 50 };
    const expected = await alone(options);
    expect(new Set(expected.map(({ ids }) => ids.length)).size).toBeGreaterThan(1);
    const done: number[] = [];
    const results = await generateText(model, texts, {
      ...options,
      batchSize: 2,
      onProgress: (n) => void done.push(n),
    });
    expect(results.map(shown)).toEqual(expected.map(shown));
    expect(done).toEqual([2, 3]);
  });
});

test('with a seed sampling is repeatable, and equal texts still differ from group to group', async () => {
  using model = await openFixture('llama', vocabSize);
  const options = { maxNewTokens: 12, doSample: true, topK: 0, temperature: 4, seed: 7, batchSize: 1 };
  const run = async (): Promise<string[]> =>
    (await generateText(model, ['w10', 'w10'], options)).map(({ text }) => text);
  const [first, second] = await run();
  expect(first).not.toBe(second);
  expect(await run()).toEqual([first, second]);
});

test('a stream gives what is generated', async () => {
  using model = await openFixture('bart', vocabSize);
  const options = { maxNewTokens: 6, numBeams: 1 };
  const [result] = await generateText(model, ['w10 w11'], options);
  let streamed = '';
  for await (const piece of streamText(model, 'w10 w11', options)) streamed += piece;
  expect(streamed.trim()).toBe(result!.text);
});

test.each([
  [{ batchSize: 0 }, 'transept: option batchSize is 0; it must be a whole number from 1 on'],
  [{ batchSize: 1.5 }, 'transept: option batchSize is 1.5; it must be a whole number from 1 on'],
  [
    { numReturnSequences: 2, numBeams: 2 },
    'text: option numReturnSequences is 2; there is one result for each text, for more use generate',
  ],
])('%j is refused', async (options, message) => {
  using model = await openFixture('llama', vocabSize);
  await expect(generateText(model, texts, options)).rejects.toThrow(message);
});

test('what is empty is named', async () => {
  using model = await openFixture('llama', vocabSize);
  await expect(generateText(model, ['w10', ' '])).rejects.toThrow('text: text 2 of 2 is empty');
});
