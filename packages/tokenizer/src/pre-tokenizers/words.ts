// The pre-tokenizers with fixed rules: white space, punctuation, digits, delimiters, lengths.
import type { Json } from '../json.ts';
import { unitsAt } from '../text.ts';
import { cutAt, readBehavior } from './split.ts';
import type { Stage } from './stage.ts';

const SPACE = /\p{White_Space}+/gu;
const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/gu;
/** What stands between spaces, every punctuation character by itself. */
const BERT_WORDS = /[\p{P}!-/:-@[-`{-~]|[^\p{White_Space}\p{P}!-/:-@[-`{-~]+/gu;
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

/** Whitespace: words and what stands between them, without the spaces. */
export function whitespace(): Stage[] {
  return [cutAt(WORDS, 'Removed', true)];
}

export function whitespaceSplit(): Stage[] {
  return [cutAt(SPACE, 'Removed')];
}

export function bert(): Stage[] {
  return [cutAt(BERT_WORDS, 'Removed', true)];
}

export function punctuation(json: Json): Stage[] {
  return [cutAt(PUNCTUATION, readBehavior(json.at('behavior'), 'Isolated'))];
}

export function digits(json: Json): Stage[] {
  const individual = json.at('individual_digits').boolean();
  return [cutAt(/\p{N}/gu, individual ? 'Isolated' : 'Contiguous')];
}

export function charDelimiterSplit(json: Json): Stage[] {
  const delimiter = json.at('delimiter').string();
  if ([...delimiter].length !== 1) json.fail('must be one character', '.delimiter');
  return [cutAt(delimiter, 'Removed')];
}

export function fixedLength(json: Json): Stage[] {
  const length = json.at('length').count(5);
  if (length === 0) json.fail('is 0; it must be at least 1', '.length');
  return [{ cut: (text) => cutEvery(text, length) }];
}

function cutEvery(text: string, length: number): number[] {
  const cuts: number[] = [];
  for (let end = 0; end < text.length;) {
    const start = end;
    for (let count = 0; count < length && end < text.length; count++) end += unitsAt(text, end);
    cuts.push(start, end);
  }
  return cuts;
}
