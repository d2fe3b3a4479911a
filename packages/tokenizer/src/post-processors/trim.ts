// The offsets of byte-level tokens hold the space before the word; trimming takes it out.
import type { Details, Offsets } from '../encoding.ts';
import { isSpace } from '../characters.ts';
import { BYTE_CHARACTERS } from '../byte-level.ts';

const SPACE = BYTE_CHARACTERS[0x20]!.charCodeAt(0);

/** `keepsFirst`: a single space at the very start was put there by the pre-tokenizer and stands for nothing. */
export function trim({ tokens, offsets, words }: Details, keepsFirst: boolean): Details {
  return {
    tokens,
    words,
    offsets: offsets.map((place, i) => trimmed(tokens[i]!, place, keepsFirst && (i === 0 || place[0] === 0))),
  };
}

function trimmed(token: string, [start, end]: Offsets, first: boolean): Offsets {
  let leading = 0;
  while (leading < token.length && isSpaceOrMark(token.charCodeAt(leading))) leading++;
  let trailing = 0;
  while (trailing < token.length && isSpaceOrMark(token.charCodeAt(token.length - 1 - trailing))) trailing++;
  if (first && leading === 1) leading = 0;
  const from = Math.min(start + leading, end);
  return [from, trailing > 0 && end >= trailing ? Math.max(end - trailing, from) : end];
}

function isSpaceOrMark(unit: number): boolean {
  return unit === SPACE || isSpace(unit);
}
