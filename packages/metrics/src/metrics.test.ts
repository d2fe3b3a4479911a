import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { corpusBleu } from './bleu.ts';
import { corpusChrf } from './chrf.ts';
import { tokenize13a } from './tokenize13a.ts';

interface Scores {
  readonly bleu: number;
  readonly precisions: number[];
  readonly bp: number;
  readonly sys_len: number;
  readonly ref_len: number;
  readonly chrf: number;
}
interface Golden {
  readonly tokens: [line: string, tokens: string][];
  readonly translations: (Scores & { name: 'greedy' | 'beam4'; from_: number; to: number })[];
  readonly odd: (Scores & { hypotheses: string[]; references: string[] })[];
}
const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../fixtures/${path}`, import.meta.url), 'utf8'));
const golden = read('sacrebleu/golden.json') as Golden;
const { rows } = read('marian-de-en/golden-text.json') as {
  rows: { reference: string; greedy_text: string; beam4_text: string }[];
};

function expectScores(hypotheses: string[], references: string[], expected: Scores): void {
  const bleu = corpusBleu(hypotheses, references);
  expect(bleu.score).toBeCloseTo(expected.bleu, 9);
  expect(bleu.brevityPenalty).toBeCloseTo(expected.bp, 12);
  expect([bleu.hypothesisLength, bleu.referenceLength]).toEqual([expected.sys_len, expected.ref_len]);
  bleu.precisions.forEach((precision, n) => expect(precision).toBeCloseTo(expected.precisions[n]!, 9));
  expect(corpusChrf(hypotheses, references)).toBeCloseTo(expected.chrf, 9);
}

describe('metrics of sacrebleu', () => {
  it('has the tokens of 13a', () => {
    for (const [line, tokens] of golden.tokens) expect(tokenize13a(line).join(' ')).toBe(tokens);
  });

  it('keeps periods and commas inside numbers', () => {
    for (let digit = 0; digit < 10; digit++)
      expect(tokenize13a(`1.${digit},${digit}`)).toEqual([`1.${digit},${digit}`]);
  });

  it.each(golden.translations.map((part) => [part.name, part.from_, part.to, part] as const))(
    'scores translations: %s, sentences %i to %i',
    (name, from, to, expected) => {
      const part = rows.slice(from, to);
      const texts = part.map((row) => (name === 'greedy' ? row.greedy_text : row.beam4_text));
      expectScores(
        texts,
        part.map((row) => row.reference),
        expected,
      );
    },
  );

  it('scores odd characters, empty lines and no match at all', () => {
    for (const part of golden.odd) expectScores(part.hypotheses, part.references, part);
  });

  it('refuses texts that do not pair up', () => {
    expect(() => corpusBleu(['a'], [])).toThrow('corpusBleu: 1 hypotheses, 0 references; expected equally many');
    expect(() => corpusChrf([], ['a'])).toThrow(/corpusChrf: 0 hypotheses, 1 references/);
  });
});
