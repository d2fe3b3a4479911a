// tiktoken files against what OpenAI's program gives for them.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tiktoken, type TiktokenOptions } from './tiktoken.ts';

interface Golden {
  encodings: Record<string, { text: string; ids: number[]; decoded: string }[]>;
}

const read = (path: string): Buffer => readFileSync(new URL(`../../fixtures/tiktoken/${path}`, import.meta.url));
const file = read('gpt2-3000.tiktoken');
const { encodings } = JSON.parse(read('golden.json').toString()) as Golden;

describe.each(Object.entries(encodings))('%s', (encoding, rows) => {
  const tokenizer = tiktoken(file, { encoding: encoding as 'gpt2' });

  it('has rows to compare', () => {
    expect(rows.length).toBeGreaterThanOrEqual(100);
  });

  it.each(rows)('encodes and decodes $text', ({ text, ids, decoded }) => {
    expect(tokenizer.ids(text)).toEqual(ids);
    expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(decoded);
  });
});

it('takes an encoding of one’s own', () => {
  const encoding = { pattern: String.raw`\d|\D+`, specialTokens: { '<end>': 5000 } };
  const tokenizer = tiktoken(file, { encoding });
  const { tokens, offsets, ids } = tokenizer.encode('ü12 the<end>');
  expect(tokens).toEqual(['Ã', '¼', '1', '2', 'Ġthe', '<end>']);
  expect(offsets).toEqual([[0, 1], [0, 1], [1, 2], [2, 3], [3, 7], [7, 12]]); // prettier-ignore
  expect(tokenizer.decode(ids)).toBe('ü12 the');
});

describe('bad files', () => {
  const text = file.toString();
  it.each<[string, string, TiktokenOptions['encoding'], string]>([
    [
      'a line of another kind',
      `hello\n${text}`,
      'gpt2',
      't: line 1 is "hello"; it must be a token in base64 and its rank',
    ],
    ['a token twice', `${text}IQ== 9999`, 'gpt2', 't: line 3001: IQ== is no base64, or a token twice'],
    ['a rank twice', `${text}ISEhISE= 7`, 'gpt2', 't: line 3001: the rank 7 is too large or taken'],
    ['a huge rank', `${text}ISEhISE= 4294967296`, 'gpt2', 't: line 3001: the rank 4294967296 is too large or taken'],
    [
      'a missing byte',
      text.replace('Kw== 10\n', ''),
      'gpt2',
      't: there is no token for the byte 43; every byte must be one',
    ],
    [
      'an unknown encoding',
      text,
      'gpt9' as 'gpt2',
      't: the encoding gpt9 is not known; known are gpt2, r50k_base, p50k_base, p50k_edit, cl100k_base, o200k_base, llama3',
    ],
    [
      'a special token on a taken id',
      text,
      { pattern: '.', specialTokens: { '<x>': 5 } },
      't: the special token <x> has the id 5, which must be free',
    ],
    ['a wrong pattern', text, { pattern: '(', specialTokens: {} }, 't: the pattern has a ( without a ); it is ('],
  ])('%s', (_, file, encoding, message) => {
    // prettier-ignore
    expect(() => tiktoken(new TextEncoder().encode(file), { encoding, name: 't' })).toThrow(
      expect.objectContaining({ name: 'TokenizerError', message }) as Error,
    );
  });
});
