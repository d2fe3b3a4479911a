// SentencePiece .model files against what Google's program gives for them.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sentencePiece } from './sentencepiece.ts';

interface Row {
  text: string;
  ids: number[];
  pieces: string[];
  decoded: string;
  randomIds?: number[];
  randomDecoded?: string;
}

const fixtures = new URL('../../fixtures/', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, fixtures));
const golden = (path: string): unknown => JSON.parse(read(`${path}/golden.json`).toString());

const models = ['spm-test', 't5-base'].map((name) => ({
  name,
  file: `${name}/spiece.model`,
  ...(golden(name) as { cases: Row[] }),
}));
const options = (golden('spm-options') as { models: { model: string; cases: Row[] }[] }).models;
const all = [
  ...models,
  ...options.map(({ model, cases }) => ({ name: model, file: `spm-options/${model}.model`, cases })),
];

describe.each(all)('$name', ({ file, cases }) => {
  const tokenizer = sentencePiece(read(file));

  it('has rows to compare', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
  });

  it.each(cases)('encodes and decodes $text', (row) => {
    const { ids, tokens } = tokenizer.encode(row.text);
    expect({ ids, pieces: tokens, decoded: tokenizer.decode(row.ids) }).toEqual({
      ids: row.ids,
      pieces: row.pieces,
      decoded: row.decoded,
    });
    expect(tokenizer.decode(row.randomIds ?? [])).toBe(row.randomDecoded ?? '');
  });
});

const bytes = read('spm-options/bpe-bytes.model');

it('puts bos and eos around the text when asked to', () => {
  const tokenizer = sentencePiece(bytes, { addBos: true, addEos: true });
  const bare = sentencePiece(bytes).ids('Come you');
  expect(tokenizer.ids('Come you')).toEqual([1, ...bare, 2]);
  expect(tokenizer.ids('Come you', { addSpecialTokens: false })).toEqual(bare);
  expect(tokenizer.decode([1, ...bare, 2])).toBe('Come you');
  expect(tokenizer.decode([1, ...bare, 2], { skipSpecialTokens: false })).toBe('<s> Come you</s>');
});

it('gives the place of every token', () => {
  const { tokens, offsets } = sentencePiece(read('spm-test/spiece.model')).encode('I  ½😀 now');
  expect(tokens).toEqual(['▁I', '▁', '1', '⁄', '2', '😀', '▁now']);
  expect(offsets).toEqual([[0, 1], [1, 2], [3, 4], [3, 4], [3, 4], [4, 6], [6, 10]]); // prettier-ignore
});

describe('bad files', () => {
  // Field 1 (a piece) of `text`, of a type.
  const piece = (text: string, type: number, score = [0, 0, 0x80, 0x3f]): number[] => {
    const utf8 = [...new TextEncoder().encode(text)];
    const inside = [0x0a, utf8.length, ...utf8, 0x15, ...score, 0x18, type];
    return [0x0a, inside.length, ...inside];
  };
  const unknown = piece('<unk>', 2);
  it.each([
    [
      'a file of another kind',
      [...new TextEncoder().encode('{"model": 1}')],
      'm: field 15 is of the unknown kind 3 at byte 1 of 12',
    ],
    ['nothing', [], 'm: 0 of 0 pieces are of type unknown; it must be one'],
    ['a length past the end', [0x0a, 0x7f, 1], 'm: a length of 127 runs past the end at byte 2 of 3'],
    [
      'a huge length',
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
      'm: a length of 4294967295 runs past the end at byte 6 of 6',
    ],
    ['a number without an end', [0x80, 0x80], 'm: the file is cut off at byte 3 of 2'],
    ['too long a number', Array<number>(11).fill(0x80), 'm: a number is longer than 64 bits at byte 10 of 11'],
    ['field 0', [0, 0], 'm: a field has the number 0 at byte 1 of 2'],
    ['a piece of another kind', [0x08, 1], 'm: piece 0: is of kind 0; it must be bytes with a length'],
    ['text that is not UTF-8', [0x0a, 3, 0x0a, 1, 0xff], 'm: piece 0: piece: is no valid UTF-8'],
    ['an empty piece', [0x0a, 0], 'm: piece 0: is empty'],
    [
      'a score that is no number',
      piece('a', 1, [0, 0, 0xc0, 0x7f]),
      'm: piece 0: has the score NaN; it must be a finite number',
    ],
    [
      'an unknown type',
      piece('a', 7),
      'm: piece 0: type: is 7; known are 1 to 6: normal, unknown, control, userDefined, unused, byte',
    ],
    ['a piece twice', [...unknown, ...piece('a', 1), ...piece('a', 4)], 'm: pieces 1 and 2 are both "a"'],
    ['two unknown pieces', [...unknown, ...piece('a', 2)], 'm: 2 of 2 pieces are of type unknown; it must be one'],
    [
      'byte fallback without bytes',
      [...unknown, 0x12, 3, 0x98, 2, 1],
      'm: byte_fallback is true, and 0 pieces are bytes, <0x00> to <0xFF>; all 256 belong to byte_fallback, and none without it',
    ],
    ['a model of words', [...unknown, 0x12, 2, 0x18, 3], 'm: model_type is word; unigram and bpe are supported'],
    [
      'a wrong map',
      [...unknown, 0x1a, 4, 0x12, 2, 1, 2],
      'm: normalizer_spec: precompiled_charsmap: has a trie of 0 bytes, in 2; it must be a multiple of 4 that fits behind its size',
    ],
    [
      'a denormalizer',
      [...unknown, 0x2a, 3, 0x12, 1, 1],
      'm: denormalizer_spec: has a precompiled_charsmap: text that is changed after decoding is not supported',
    ],
  ])('%s', (_, bytes, message) => {
    // prettier-ignore
    expect(() => sentencePiece(Uint8Array.from(bytes), { name: 'm' })).toThrow(
      expect.objectContaining({ name: 'TokenizerError', message }) as Error,
    );
  });

  it('cut off anywhere, a file is refused or lacks pieces at its end', () => {
    const whole = read('spm-options/unigram-suffix.model');
    for (let length = 0; length < whole.length; length += 7) {
      try {
        sentencePiece(whole.subarray(0, length));
      } catch (error) {
        expect((error as Error).name).toBe('TokenizerError');
      }
    }
  });
});
