// Texts made to be slow: the work must grow with the length, not with its square. Look-ups are counted, as almost all work of
// added tokens and models is one; four times the text may take five times as many. What JavaScript's own functions do
// can't be counted: for them, texts so long that anything quadratic would run past the time limit of the test by far.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sentencePiece } from './formats.ts';
import { Tokenizer } from './index.ts';
import { normalized } from './normalizers/normal-form.ts';
import { PairTable } from './pair-table.ts';
import { fixture } from './testing.ts';

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
  spaces: (length) => ' '.repeat(length),
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

let lookUps = 0;
const { get } = PairTable.prototype;
beforeEach(() => {
  PairTable.prototype.get = function (a, b) {
    lookUps++;
    return get.call(this, a, b);
  };
});
afterEach(() => {
  PairTable.prototype.get = get;
});

function work(tokenizer: Tokenizer, text: string): number {
  lookUps = 0;
  tokenizer.encode(text);
  return lookUps;
}

describe.each(Object.entries(tokenizers))('%s', (_, tokenizer) => {
  it.each(Object.entries(texts))('%s: look-ups', (_, make) => {
    // Beside what grows, a word that is seen again needs none.
    expect(work(tokenizer, make(40_000))).toBeLessThanOrEqual(5 * work(tokenizer, make(10_000)) + 1000);
  });

  it.each(Object.entries(texts))('%s: 150 thousand units', (_, make) => {
    const { offsets, length } = tokenizer.encode(make(150_000));
    expect(offsets.length).toBe(length);
  });
});

it('looks up what it counts', () => {
  expect(work(tokenizers['gpt2']!, letters(1000))).toBeGreaterThan(1000);
  expect(work(tokenizers['t5-small']!, letters(1000))).toBeGreaterThan(1000);
});

it('decodes long lists of ids', () => {
  for (const tokenizer of Object.values(tokenizers)) {
    const ids = Array.from({ length: 100_000 }, (_, i) => 3 + (i % 90));
    expect(tokenizer.decode(ids).length).toBeGreaterThan(ids.length / 2);
  }
});

it('never leaves the sorting of many marks to String.prototype.normalize', () => {
  const { normalize } = String.prototype;
  let longest = 0;
  String.prototype.normalize = function (this: string, form) {
    const unsorted = /(?:\u0301+\u0323+)+/.exec(this)?.[0].length ?? 0; // the second goes before the first
    longest = Math.max(longest, unsorted);
    return normalize.call(this, form);
  };
  try {
    expect(normalized(texts['marks in the wrong order']!(10_000), 'NFC').length).toBeGreaterThan(5000);
  } finally {
    String.prototype.normalize = normalize;
  }
  expect(longest).toBeLessThan(64);
});
