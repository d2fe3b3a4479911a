// What Unicode decides of single characters: Lowercase, StripAccents, and Nmt, the clean-up of neural translation.
import type { Edit } from '../text.ts';

/** Rewrites character by character: each result takes its character's place, an empty one removes it. */
export function mapCharacters(map: (character: string) => string, plain?: (text: string) => string): Edit {
  return {
    rewrite(text, put) {
      let at = 0;
      for (const character of text) {
        const result = map(character);
        if (result) put(result, at);
        at += character.length;
      }
    },
    ...(plain && { plain }),
  };
}

/** Every character by itself: a sigma at the end of a word becomes σ, where JavaScript alone would write ς. */
export const lowercase: Edit = mapCharacters(
  (character) => character.toLowerCase(),
  (text) => (text.includes('Σ') ? text.replaceAll('Σ', 'σ') : text).toLowerCase(),
);

export const stripAccents: Edit = remove(/\p{M}/gu);

export function remove(pattern: RegExp): Edit {
  return mapCharacters(
    (character) => character.replace(pattern, ''),
    (text) => text.replace(pattern, ''),
  );
}

export const nmt: Edit[] = [
  remove(/[\x01-\x08\v\x0e-\x1f\x7f\x8f\x9f]/gu),
  spaces(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/gu),
];

/** Turns what the pattern matches into plain spaces. */
export function spaces(pattern: RegExp): Edit {
  const plain = (text: string): string => text.replace(pattern, ' ');
  return mapCharacters(plain, plain);
}
