// Added tokens that overlap, are there twice, or vanish by normalization: what `tokenizers` 0.23.3 gives.
import { expect, it } from 'vitest';
import { Tokenizer, type Offsets } from './index.ts';

const lowercase = { type: 'Lowercase' };
const withoutQ = { type: 'Replace', pattern: { String: 'q' }, content: '' };
const strips = { special: false, normalized: false, rstrip: true };

const cases: [what: string, tokens: object[], normalizer: object, text: string, result: [string, ...Offsets][]][] = [
  [
    'a second one with the same text says how it is found',
    [{ id: 1, content: 'ab', lstrip: true }, { id: 2, content: 'ab', rstrip: true }],
    lowercase,
    'x AB y',
    [['<unk>', 0, 2], ['ab ', 2, 5], ['<unk>', 5, 6]],
  ],
  [
    'and whether it is normalized',
    [{ id: 1, content: 'ZZ', normalized: true }, { id: 2, content: 'ZZ', normalized: false }],
    lowercase,
    'zz',
    [['<unk>', 0, 2]],
  ],
  [
    'spaces that were taken along may be a token still',
    [{ id: 1, content: ' ', ...strips }],
    lowercase,
    'x   ab',
    [['<unk>', 0, 1], ['   ', 1, 4], ['  ', 2, 4], [' ', 3, 4], ['<unk>', 4, 6]],
  ],
  [
    'unless it would take them along, too',
    [{ id: 1, content: 'a', ...strips }, { id: 2, content: ' b', ...strips, lstrip: true }],
    lowercase,
    'xa  b c',
    [['<unk>', 0, 1], ['a  ', 1, 4], ['b ', 4, 6], ['<unk>', 6, 7]],
  ],
  [
    'what is nothing by normalization parts all characters',
    [{ id: 1, content: 'q' }, { id: 2, content: 'a' }],
    withoutQ,
    'xxab',
    [['<unk>', 0, 1], ['<unk>', 1, 2], ['a', 2, 3], ['<unk>', 3, 4]],
  ],
  [
    'and takes spaces along',
    [{ id: 1, content: 'q', lstrip: true, rstrip: true }],
    withoutQ,
    'x  ab',
    [['<unk>', 0, 1], ['  ', 1, 3], ['<unk>', 3, 4], ['<unk>', 4, 5]],
  ],
]; // prettier-ignore

it.each(cases)('%s', async (_, added_tokens, normalizer, text, result) => {
  const model = { type: 'WordLevel', vocab: { '<unk>': 0 }, unk_token: '<unk>' };
  const { ids, tokens, offsets } = (await Tokenizer.fromJSON({ model, normalizer, added_tokens })).encode(text);
  const shown = tokens.map((token, i) => [ids[i] === 0 ? '<unk>' : token, ...offsets[i]!]);
  expect(shown).toEqual(result);
});
