// Classes of characters as Rust and Unicode define them, where JavaScript's own differ: White_Space has U+0085 and lacks
// U+FEFF; a word character is any letter, mark, digit, connector or joiner.
import { unitsAt } from './text.ts';

const SPACE = /\p{White_Space}/u;
export const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
export const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/u;

/** Tells which of some classes the character at a place of a text is in, the first from 1 on; 0 for none. */
export type ClassOf = (text: string, at: number) => number;

/** Each class is an expression for one character. What is known of UTF-16 units stands in a table, which is many times as quick. */
export function classes(...expressions: readonly RegExp[]): ClassOf {
  const known = new Uint8Array(0x10000); // 1 more than the class, or 0
  const find = (character: string): number => expressions.findIndex((each) => each.test(character)) + 1;
  return (text, at) => {
    if (unitsAt(text, at) > 1) return find(text.slice(at, at + 2));
    return (known[text.charCodeAt(at)] ||= find(text[at]!) + 1) - 1;
  };
}

/** Whether a UTF-16 unit is white space (no surrogate is). */
export function isSpace(unit: number): boolean {
  return SPACE.test(String.fromCharCode(unit));
}
