// Files that are wrong: each is refused with the place of what is wrong, and none crashes or hangs.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tokenizer, TokenizerError } from './index.ts';
import { fixtureJson } from './testing.ts';

const bpe = { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] };
const model = (change: object): object => ({ model: { ...bpe, ...change } });
const withBpe = (parts: object): object => ({ model: bpe, ...parts });
const split = (pattern: unknown): object => withBpe({ pre_tokenizer: { type: 'Split', pattern, behavior: 'Removed' } });

function nested(depth: number): object {
  let normalizer: object = { type: 'NFC' };
  for (let i = 0; i < depth; i++) normalizer = { type: 'Sequence', normalizers: [normalizer] };
  return withBpe({ normalizer });
}

const cyclic: { type: string; normalizers: unknown[] } = { type: 'Sequence', normalizers: [] };
cyclic.normalizers.push(cyclic);

const cases: [what: string, json: unknown, message: string][] = [
  ['nothing', undefined, 'is missing; it must be an object'],
  ['no JSON', '{"model":', 'is no JSON: '],
  ['another value', '[1]', 'is an array of 1; it must be an object'],
  ['no model', {}, 'model: is missing; it must be an object'],
  ['an unknown model', model({ type: 'Neural' }), 'model.type: is "Neural"; known are BPE, Unigram, WordLevel, WordPiece'],
  ['an unknown normalizer', withBpe({ normalizer: { type: 'Upper' } }), 'normalizer.type: is "Upper"; known are BertNormalizer, '],
  ['an unknown pre-tokenizer', withBpe({ pre_tokenizer: { type: 'X' } }), 'pre_tokenizer.type: is "X"; known are '],
  ['an unknown post-processor', withBpe({ post_processor: { type: 'X' } }), 'post_processor.type: is "X"; known are '],
  ['an unknown decoder', withBpe({ decoder: { type: 'Sequence', decoders: [{ type: 'X' }] } }), 'decoder.decoders[0].type: is "X"; known are '],
  ['a prototype as type', withBpe({ decoder: { type: 'toString' } }), 'decoder.type: is "toString"; known are '],
  ['a fractional id', model({ vocab: { a: 0.5 } }), 'model.vocab["a"]: is 0.5; an id is a whole number from 0 to 2147483647'],
  ['a huge id', model({ vocab: { a: 4294967296 } }), 'model.vocab["a"]: is 4294967296; '],
  ['an id twice', model({ vocab: { a: 0, b: 0 } }), 'model.vocab["b"]: has the id 0, which another token has already'],
  ['a merge of three', model({ merges: ['a b c'] }), 'model.merges[0]: is "a b c"; a merge is two tokens'],
  ['a merge of numbers', model({ merges: [[1, 2]] }), 'model.merges[0]: is an array of 2; a merge is two tokens'],
  ['a merge of a missing token', model({ merges: [['a', 'x']] }), 'model.merges[0]: names the token "x", which is not in vocab'],
  ['a merge whose union is missing', model({ merges: [['b', 'a']] }), 'model.merges[0]: names the token "ba", which is not in vocab'],
  ['dropout', model({ dropout: 0.1 }), 'model.dropout: is 0.1: tokens would be left to chance'],
  ['a number for a flag', model({ byte_fallback: 1 }), 'model.byte_fallback: is 1; it must be true or false'],
  ['an unknown id outside', { model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 1 } }, 'model.unk_id: is 1, but vocab has 1 pieces'],
  ['an infinite score', '{"model":{"type":"Unigram","vocab":[["a",1e999]]}}', 'model.vocab[0]: is an array of 2; it must be a piece and its score'],
  ['a wrong added token', withBpe({ added_tokens: [{ id: -1, content: 'x' }] }), 'added_tokens[0].id: is -1; it must be a whole number'],
  ['an added token without text', withBpe({ added_tokens: [{ id: 7 }] }), 'added_tokens[0].content: is missing; it must be a string'],
  ['a wrong expression', split({ Regex: '(' }), 'pre_tokenizer.pattern.Regex: has a ( without a )'],
  ['an unknown property', split({ Regex: String.raw`\p{Klingon}` }), 'names the character property Klingon'],
  ['no pattern', split({}), 'pre_tokenizer.pattern.Regex: is missing; it must be a string'],
  ['no base64', withBpe({ normalizer: { type: 'Precompiled', precompiled_charsmap: '%' } }), 'normalizer.precompiled_charsmap: is not valid base64'],
  ['a map that runs past its end', withBpe({ normalizer: { type: 'Precompiled', precompiled_charsmap: btoa('\x08\0\0\0abcd') } }), 'normalizer.precompiled_charsmap: has a trie of 8 bytes, in 8'],
  ['a token that the template lacks', withBpe({ post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'X', type_id: 0 } }], pair: [], special_tokens: {} } }), 'post_processor.special_tokens.X: is missing'],
  ['a second text in the template for one', withBpe({ post_processor: { type: 'TemplateProcessing', single: [{ Sequence: { id: 'B', type_id: 0 } }], pair: [], special_tokens: {} } }), 'post_processor.single[0].Sequence: is B; a template for one text has only A'],
  ['endless padding', withBpe({ padding: { strategy: { Fixed: 2 ** 31 - 1 }, pad_id: 0, pad_token: 'a' } }), 'padding.strategy.Fixed: is 2147483647; at most 1048576 is allowed'],
  ['a wrong truncation', withBpe({ truncation: { max_length: 'x' } }), 'truncation.max_length: is "x"; it must be a whole number'],
  ['deep nesting', nested(100), 'is nested too deep: 33 levels; at most 32 are read'],
  ['an object in itself', withBpe({ normalizer: cyclic }), 'is nested too deep: 33 levels; at most 32 are read'],
]; // prettier-ignore

describe('tokenizer.json', () => {
  it.each(cases)('%s', async (_, json, message) => {
    const error = await Tokenizer.fromJSON(json).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TokenizerError);
    expect((error as Error).message).toMatch(/^tokenizer\.json: /);
    expect((error as Error).message).toContain(message);
  });

  it('very deep JSON is refused before it is read', async () => {
    const depth = 200_000;
    const text = `{"model":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    await expect(Tokenizer.fromJSON(text)).rejects.toThrow(TokenizerError);
  });
});

describe('texts', () => {
  it('that need an unknown token which is missing', async () => {
    const words = await Tokenizer.fromJSON({ model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: '?' } });
    expect(() => words.ids('b')).toThrow('word level: no token for "b", and unk_token is not in vocab');
  });

  it('that a truncation leaves no room for', async () => {
    const tokenizer = await Tokenizer.fromJSON({ model: bpe });
    expect(() => tokenizer.ids('aa', { truncation: { maxLength: 1, strategy: 'only_second' } })).toThrow(
      'truncation: strategy is only_second, but there is no pair',
    );
  });
});

/** Puts something else in one place of a JSON value. */
function mutated(value: unknown, path: readonly number[], junk: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return junk;
  const keys = Object.keys(value);
  const key = keys[path[0]! % keys.length];
  if (key === undefined) return junk;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
  const next = mutated(copy[key], path.slice(1), junk);
  if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy;
}

it('a file with anything else anywhere is refused with TokenizerError, or works', async () => {
  const { bases, cases } = fixtureJson<{ bases: Record<string, object>; cases: { base: string; parts: object }[] }>(
    'variants/golden.json',
  );
  const junk = fc.oneof(
    fc.constantFrom(undefined, null, true, -1, 0.5, 0, 3, 2 ** 31, 1e308, '', ' ', '\0', '[', '(?:)', [], {}, [[]]),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.json().map((text) => JSON.parse(text) as unknown),
  );
  const only = async (use: () => unknown): Promise<void> => {
    try {
      await use();
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
    }
  };
  let loaded = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(cases.length - 1), fc.array(fc.nat(50), { minLength: 1, maxLength: 6 }), junk, async (i, path, value) => {
      const json = { ...bases[cases[i]!.base], ...cases[i]!.parts };
      await only(async () => {
        const tokenizer = await Tokenizer.fromJSON(mutated(json, path, value));
        loaded++;
        await only(() => tokenizer.encode('The  k\u00ef<s>ng, 漢\u0301 <unk> 12').offsets);
        await only(() => tokenizer.decode([0, 1, 5, 50, 99, 120, 2 ** 31]));
      });
    }),
    { numRuns: 800 },
  );
  expect(loaded).toBeGreaterThan(50);
}); // prettier-ignore
