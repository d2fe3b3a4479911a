// Every row of the golden files: what Hugging Face's `tokenizers` gives for the same tokenizer.json.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Tokenizer, type Offsets } from './index.ts';

interface Golden {
  cases: {
    text: string;
    ids: number[];
    typeIds: number[];
    rawIds: number[];
    rawTokens: string[];
    rawOffsets: Offsets[];
    decoded: string;
    decodedSkip: string;
  }[];
  pairs: { text: string; pair: string; ids: number[]; typeIds: number[] }[];
}

const fixture = (path: string): string => readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8');

const names = ['bert-base-uncased', 'gpt2', 'phi-3-mini', 'roberta-base', 't5-small'];
const loaded = names.map(async (name) => [name, await Tokenizer.fromJSON(fixture(`${name}/tokenizer.json`))] as const);

describe.each(await Promise.all(loaded))('%s', (name, tokenizer) => {
  const { cases, pairs } = JSON.parse(fixture(`${name}/golden.json`)) as Golden;

  it('has rows to compare', () => {
    expect(cases.length).toBeGreaterThanOrEqual(100);
    expect(pairs.length).toBeGreaterThanOrEqual(2);
  });

  it.each(cases)('encodes and decodes $text', (row) => {
    const encoding = tokenizer.encode(row.text);
    const raw = tokenizer.encode(row.text, { addSpecialTokens: false, offsets: 'codePoints' });
    expect({
      ids: encoding.ids,
      typeIds: encoding.typeIds,
      rawIds: raw.ids,
      rawTokens: raw.tokens,
      rawOffsets: raw.offsets,
      decoded: tokenizer.decode(row.rawIds, { skipSpecialTokens: false }),
      decodedSkip: tokenizer.decode(row.ids),
    }).toEqual({ ...row, text: undefined });
  });

  it.each(pairs)('encodes the pair $text / $pair', ({ text, pair, ids, typeIds }) => {
    const encoding = tokenizer.encode(text, { pair });
    expect(encoding.ids).toEqual(ids);
    expect(encoding.typeIds).toEqual(typeIds);
  });
});
