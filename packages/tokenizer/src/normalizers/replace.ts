// Replace: every match of a string or an expression becomes the content.
import type { Json } from '../json.ts';
import { readPattern } from '../pattern.ts';
import type { Edit } from '../text.ts';

export function replaceAll(pattern: RegExp, content: string): Edit {
  return {
    rewrite(text, put) {
      let done = 0;
      for (const { 0: match, index } of text.matchAll(pattern)) {
        for (; done < index; done++) put(text[done]!, done);
        done += match.length;
        put(content, done - 1);
      }
      for (; done < text.length; done++) put(text[done]!, done);
    },
    plain: (text) => text.replace(pattern, () => content),
  };
}

export function replace(json: Json): Edit[] {
  return [replaceAll(readPattern(json.at('pattern')), json.at('content').string())];
}
