// Prepend: a fixed text before everything; it shares the place of the first character.
import type { Json } from '../json.ts';
import type { Edit } from '../text.ts';

export function prependText(prefix: string): Edit {
  return {
    rewrite(text, put) {
      if (text) put(prefix, 0);
      for (let i = 0; i < text.length; i++) put(text[i]!, i);
    },
    plain: (text) => text && prefix + text,
  };
}

export function prepend(json: Json): Edit[] {
  return [prependText(json.at('prepend').string())];
}
