// What Unicode decides: NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, and Nmt, the clean-up of neural translation.
import { unitsAt, type Edit, type Put } from '../text.ts';

type Form = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

export function normalForm(form: Form): Edit {
  return { rewrite: (text, put) => rewrite(form, text, put), plain: (text) => text.normalize(form) };
}

/**
 * Places as in `tokenizers`, whose tables say of every new character how many old ones it uses up: a decomposed character
 * uses its source up with its first part, and a composed one what its parts do. Sorting combining marks never swaps
 * two equal ones, so the n-th of a kind before sorting is the n-th after it.
 */
function rewrite(form: Form, text: string, put: Put): void {
  const decomposition = form.replace('C', 'D');
  const uses = new Map<string, { list: number[]; next: number }>();
  for (const character of text) {
    let use = 1;
    for (const part of character.normalize(decomposition)) {
      const entry = uses.get(part);
      if (entry) entry.list.push(use);
      else uses.set(part, { list: [use], next: 0 });
      use = 0;
    }
  }
  let at = 0;
  for (const character of text.normalize(form)) {
    let used = 0;
    for (const part of character.normalize('NFD')) {
      const entry = uses.get(part)!;
      used += entry.list[entry.next++]!;
    }
    put(character, used > 0 ? at : at - 1);
    for (; used > 0; used--) at += unitsAt(text, at);
  }
}

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
