// Strip: white space at the ends goes.
import { isSpace } from '../characters.ts';
import type { Json } from '../json.ts';
import type { Edit } from '../text.ts';

export function strip(json: Json): Edit[] {
  const left = json.at('strip_left').boolean();
  const right = json.at('strip_right').boolean();
  return [
    {
      rewrite(text, put) {
        let start = 0;
        let end = text.length;
        if (left) while (start < end && isSpace(text.charCodeAt(start))) start++;
        if (right) while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
        for (let i = start; i < end; i++) put(text[i]!, i);
      },
    },
  ];
}
