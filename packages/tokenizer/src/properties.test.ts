// What must hold for any text and any ids, whatever the vocabulary.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sentencePiece, tiktoken } from './formats.ts';
import { Tokenizer } from './index.ts';
import { fixture, fixtureJson } from './testing.ts';

const json = (name: string): Promise<Tokenizer> => Tokenizer.fromJSON(fixture(`${name}/tokenizer.json`).toString());
const byteLevel: Record<string, Tokenizer> = {
  gpt2: await json('gpt2'),
  tiktoken: tiktoken(fixture('tiktoken/gpt2-3000.tiktoken'), { encoding: 'o200k_base' }),
};
const all: Record<string, Tokenizer> = {
  ...byteLevel,
  'roberta-base': await json('roberta-base'),
  'bert-base-uncased': await json('bert-base-uncased'),
  'phi-3-mini': await json('phi-3-mini'),
  't5-small': await json('t5-small'),
  'SentencePiece unigram': sentencePiece(fixture('t5-base/spiece.model')),
  'SentencePiece bpe': sentencePiece(fixture('spm-options/bpe-bytes.model')),
};

/** Any code points, more of those that are treated specially, and texts of the kinds that people write. */
const special = fc.constantFrom(' ', '  ', '\n', '▁', 'Ġ', "'s", '<s>', '</s>', '<|endoftext|>', '[MASK]', '<mask>', 'e\u0301', '\u1100\u1161', '👩‍👩‍👧', '🇩🇪', 'ﬁ', '½', 'Ω', '漢字', '\0', '\ufeff', '\ufffd', '\u200b', '##a'); // prettier-ignore
const unit = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), special, fc.lorem({ maxCount: 4 }));
const text = fc.array(unit, { maxLength: 12 }).map((parts) => parts.join(''));
const runs = { numRuns: 80 };

describe.each(Object.entries(byteLevel))('%s', (_, tokenizer) => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(text, (input) => {
        const ids = tokenizer.ids(input, { addSpecialTokens: false });
        expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(input);
      }),
      runs,
    );
  });

  it('takes lone surrogates for U+FFFD', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff)), (units) => {
        const input = String.fromCharCode(...units);
        const ids = tokenizer.ids(input, { addSpecialTokens: false });
        expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(input.toWellFormed());
      }),
      runs,
    );
  });

  it('has a place for every character', () => {
    fc.assert(
      fc.property(text, (input) => {
        const { offsets, ids } = tokenizer.encode(input, { addSpecialTokens: false });
        let end = 0;
        for (const [i, [start, next]] of offsets.entries()) {
          expect(start).toBeLessThanOrEqual(end);
          if (start === end && offsets[i + 1]?.[0] !== start) {
            const slice = input.slice(start, next);
            const alone = tokenizer.decode([ids[i]!], { skipSpecialTokens: false });
            if (!alone.includes('\ufffd')) expect(slice.trim()).toBe(alone.trim());
          }
          end = Math.max(end, next);
        }
        expect(input.slice(end).trim()).toBe('');
      }),
      runs,
    );
  });
});

describe.each(Object.entries(all))('%s', (_, tokenizer) => {
  const { vocabSize } = tokenizer;
  const ids = fc.oneof(
    fc.array(fc.nat(vocabSize + 5), { maxLength: 20 }),
    text.map((input) => tokenizer.ids(input)),
    // Ids that spell parts of characters.
    fc.tuple(text, fc.nat(20), fc.nat(20)).map(([input, a, b]) => tokenizer.ids(input).slice(a, -b)),
  );

  it('streams what it decodes, in whole characters', () => {
    fc.assert(
      fc.property(ids, fc.boolean(), (list, skipSpecialTokens) => {
        const stream = tokenizer.stream({ skipSpecialTokens });
        const pieces = [...list.map((id) => stream.push(id)), stream.end()];
        expect(pieces.join('')).toBe(tokenizer.decode(list, { skipSpecialTokens }));
        for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
      }),
      runs,
    );
  });

  it('gives places that slice the text between characters, in order', () => {
    fc.assert(
      fc.property(text, (input) => {
        const { offsets, tokens, words, ids, length } = tokenizer.encode(input, { addSpecialTokens: false });
        expect([offsets.length, tokens.length, words.length, ids.length]).toEqual([length, length, length, length]);
        let last = 0;
        for (const [start, end] of offsets) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(input.length);
          expect(input.slice(start, end).isWellFormed()).toBe(true);
          last = start;
        }
        const points = tokenizer.encode(input, { addSpecialTokens: false, offsets: 'codePoints' }).offsets;
        const characters = [...input];
        const slices = points.map(([start, end]) => characters.slice(start, end).join(''));
        expect(slices).toEqual(offsets.map(([start, end]) => input.slice(start, end)));
      }),
      runs,
    );
  });

  it('encodes twice alike, alone and in a batch', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [first, second] = tokenizer.encodeBatch([a, b]);
        expect(first!.ids).toEqual(tokenizer.ids(a));
        expect(second!.ids).toEqual(tokenizer.ids(b));
      }),
      { numRuns: 20 },
    );
  });
});

it('WordPiece without normalizer gives every token its text', async () => {
  const model = fixtureJson<{ model: object }>('bert-base-uncased/tokenizer.json').model;
  const tokenizer = await Tokenizer.fromJSON({ model, pre_tokenizer: { type: 'BertPreTokenizer' } });
  fc.assert(
    fc.property(text, (input) => {
      const { tokens, offsets } = tokenizer.encode(input);
      for (const [i, token] of tokens.entries()) {
        const slice = input.slice(...offsets[i]!);
        if (token !== '[UNK]') expect(token.replace(/^##(?=.)/su, '')).toBe(slice.replace(/^##(?=.)/su, ''));
      }
    }),
    runs,
  );
});
