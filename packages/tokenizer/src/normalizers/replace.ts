// Replace: every match of a string or an expression becomes the content.
import type { Json } from '../json.ts';
import { eachMatch, readPattern, type Pattern } from '../pattern.ts';
import type { Edit, Put } from '../text.ts';

/** The content shares the place of the last character it replaces. */
export function replaceAll(pattern: Pattern, content: string): Edit {
  const rewrite = (text: string, put: Put): void => {
    let done = 0;
    eachMatch(text, pattern, (start, end) => {
      for (; done < start; done++) put(text[done]!, done);
      done = end;
      put(content, done - 1);
    });
    for (; done < text.length; done++) put(text[done]!, done);
  };
  if (typeof pattern !== 'string') return { rewrite };
  return { rewrite, plain: (text) => text.replaceAll(pattern, () => content) };
}

export async function replace(json: Json): Promise<Edit[]> {
  return [replaceAll(await readPattern(json.at('pattern')), json.at('content').string())];
}
