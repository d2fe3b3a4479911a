// The pre-tokenizers with fixed rules: white space, punctuation, digits, delimiters, lengths.
import { classes, PUNCTUATION, WORD, type ClassOf } from '../characters.ts';
import type { Json } from '../json.ts';
import { unitsAt } from '../text.ts';
import { cutAt, readBehavior } from './split.ts';
import type { Stage } from './stage.ts';

const NONE = /(?!)/u;
const [SPACE, ALONE] = [1, 2];

/** Whitespace: words and what stands between them, without the spaces. */
export const whitespace = (): Stage[] => runs(NONE, WORD);

export const whitespaceSplit = (): Stage[] => runs(NONE);

/** What stands between spaces, every punctuation character by itself. */
export const bert = (): Stage[] => runs(PUNCTUATION);

/** Runs of characters of one class, without white space, and what stands alone. */
function runs(alone: RegExp, ...others: RegExp[]): Stage[] {
  const classOf = classes(/\p{White_Space}/u, alone, ...others);
  return [{ cut: (text) => cutRuns(text, classOf) }];
}

function cutRuns(text: string, classOf: ClassOf): number[] {
  const cuts: number[] = [];
  let last = SPACE;
  for (let i = 0; i < text.length; i += unitsAt(text, i)) {
    const here = classOf(text, i);
    if (here === last && here !== ALONE) continue;
    if (last !== SPACE) cuts.push(i);
    if (here !== SPACE) cuts.push(i);
    last = here;
  }
  if (last !== SPACE) cuts.push(text.length);
  return cuts;
}

export function punctuation(json: Json): Stage[] {
  return [cutAt(new RegExp(PUNCTUATION, 'gu'), readBehavior(json.at('behavior'), 'Isolated'))];
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
