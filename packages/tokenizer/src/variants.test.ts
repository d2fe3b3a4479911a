// Hundreds of pipelines put together by chance from every part and option of tokenizer.json, and small models of every kind,
// against what Hugging Face's `tokenizers` gives.
import { describe, expect, it } from 'vitest';
import { Tokenizer, type Offsets } from './index.ts';
import { fixtureJson } from './testing.ts';

interface Row {
  text: string;
  pair?: string;
  add: boolean;
  ids: number[];
  tokens: string[];
  typeIds: number[];
  words: (number | null)[];
  specialTokensMask: number[];
  attentionMask: number[];
  /** Missing where characters were left out: `tokenizers` doesn't count them, so that its later places are off. */
  offsets?: Offsets[];
  overflow?: number[][];
  /** What was decoded, if not `ids`. */
  decodedIds?: number[];
  decoded: string;
  decodedSkip: string;
}
interface Golden {
  bases: Record<string, object>;
  cases: { base: string; parts: object; rows: Row[] }[];
}

const { bases, cases } = fixtureJson<Golden>('variants/golden.json');
const models = Object.keys(bases);

it('has every model and hundreds of pipelines', () => {
  expect(models.length).toBeGreaterThanOrEqual(20);
  expect(cases.length).toBeGreaterThanOrEqual(300);
});

describe.each(models)('%s', (base) => {
  const own = cases.filter((each) => each.base === base);
  it.each(own.map(({ parts, rows }) => [JSON.stringify(parts), parts, rows] as const))('%s', async (_, parts, rows) => {
    const tokenizer = await Tokenizer.fromJSON({ ...bases[base], ...parts });
    for (const { text, pair, add, decodedIds, decoded, decodedSkip, overflow = [], ...rest } of rows) {
      const options = { addSpecialTokens: add, offsets: 'codePoints', ...(pair !== undefined && { pair }) } as const;
      const encoding = tokenizer.encode(text, options);
      const { ids, tokens, typeIds, words, specialTokensMask, attentionMask, offsets } = encoding;
      const found = { ids, tokens, typeIds, words, specialTokensMask, attentionMask };
      expect({ text, ...found, ...(rest.offsets && { offsets }) }).toEqual({ text, ...rest });
      expect(encoding.overflowing.map((each) => each.ids)).toEqual(overflow);
      expect(tokenizer.decode(decodedIds ?? ids, { skipSpecialTokens: false })).toBe(decoded);
      expect(tokenizer.decode(decodedIds ?? ids)).toBe(decodedSkip);
    }
  });
});
