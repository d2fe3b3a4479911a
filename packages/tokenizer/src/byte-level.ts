// GPT-2's alphabet of bytes: every byte has a printable character, so that any text is made of known symbols. Printable
// bytes of Latin-1 stand for themselves, the others take the code points from 256 on.
import type { Edit } from './text.ts';

const PRINTABLE = /[!-~\u00a1-\u00ac\u00ae-\u00ff]/;

/** The character of every byte. */
export const BYTE_CHARACTERS: readonly string[] = makeAlphabet();

/** The byte of every character of the alphabet, by its code unit; -1 elsewhere. */
export const CHARACTER_BYTES: Readonly<Int16Array> = invert(BYTE_CHARACTERS);

function makeAlphabet(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const character = String.fromCharCode(byte);
    return PRINTABLE.test(character) ? character : String.fromCharCode(next++);
  });
}

function invert(characters: readonly string[]): Int16Array {
  const bytes = new Int16Array(512).fill(-1);
  for (const [byte, character] of characters.entries()) bytes[character.charCodeAt(0)] = byte;
  return bytes;
}

/** Writes every byte of the text's UTF-8 as its character; all of a character's bytes share its place. */
export const toByteCharacters: Edit = {
  rewrite(text, put) {
    for (let i = 0; i < text.length; i++) {
      const point = text.codePointAt(i)!;
      put(byteCharacters(point), i);
      if (point > 0xffff) i++;
    }
  },
};

function byteCharacters(point: number): string {
  const at = BYTE_CHARACTERS;
  if (point < 0x80) return at[point]!;
  const last = at[0x80 | (point & 63)]!;
  if (point < 0x800) return at[0xc0 | (point >> 6)]! + last;
  const third = at[0x80 | ((point >> 6) & 63)]! + last;
  if (point < 0x10000) return at[0xe0 | (point >> 12)]! + third;
  return at[0xf0 | (point >> 18)]! + at[0x80 | ((point >> 12) & 63)]! + third;
}
