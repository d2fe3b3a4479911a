// Texts made to be slow: the time must grow with the length, not with its square. Four times the text may take up to twelve
// times as long, which leaves room for a busy machine; anything quadratic takes sixteen times.
import { describe, expect, it } from 'vitest';
import { sentencePiece } from './formats.ts';
import { Tokenizer } from './index.ts';
import { fixture } from './testing.ts';

const LENGTH = 100_000;
const random = (): (() => number) => {
  let state = 1;
  return () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
};
const letters = (length: number): string => {
  const next = random();
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(next() * 26))).join('');
};
const texts: Record<string, (length: number) => string> = {
  'one letter': (length) => 'a'.repeat(length),
  'letters without spaces': letters,
  'marks in the wrong order': (length) => `e${'\u0301\u0323'.repeat(length / 2)}`,
  'joined emoji': (length) => '👩\u200d'.repeat(length / 3),
  'beginnings of a special token': (length) => '<|endoftext'.repeat(length / 11),
};
const json = (name: string): Promise<Tokenizer> => Tokenizer.fromJSON(fixture(`${name}/tokenizer.json`).toString());
const tokenizers: Record<string, Tokenizer> = {
  gpt2: await json('gpt2'),
  'bert-base-uncased': await json('bert-base-uncased'),
  't5-small': await json('t5-small'),
  'SentencePiece bpe': sentencePiece(fixture('spm-options/bpe-crossing.model')),
};

function seconds(tokenizer: Tokenizer, text: string): number {
  const start = performance.now();
  const { offsets, length } = tokenizer.encode(text);
  expect(offsets.length).toBe(length);
  return (performance.now() - start) / 1000;
}

describe.each(Object.keys(tokenizers))('%s', (name) => {
  const tokenizer = tokenizers[name]!;
  it.each(Object.keys(texts))('%s', (kind) => {
    const make = texts[kind]!;
    seconds(tokenizer, make(1000));
    const attempts = [0, 1, 2];
    // The best of three, each measured side by side; a tenth of a second is never too much.
    const fine = attempts.some(() => {
      const short = seconds(tokenizer, make(LENGTH / 4));
      return seconds(tokenizer, make(LENGTH)) <= Math.max(0.1, 12 * short);
    });
    expect(fine).toBe(true);
  });
});

it('decodes long lists of ids in linear time', () => {
  for (const tokenizer of Object.values(tokenizers)) {
    const time = (count: number): number => {
      const ids = Array.from({ length: count }, (_, i) => 3 + (i % 90));
      const start = performance.now();
      tokenizer.decode(ids);
      return performance.now() - start;
    };
    time(1000);
    expect([0, 1, 2].some(() => 12 * time(25_000) + 50 >= time(100_000))).toBe(true);
  }
});
