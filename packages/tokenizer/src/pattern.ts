// What Split and Replace look for: a text, or a regular expression, whose translation to JavaScript is loaded when a file has one.
import type { Json } from './json.ts';
import { unitsAt } from './text.ts';

/** A text that is not empty, or a global expression. */
export type Pattern = string | RegExp;

export async function readPattern(json: Json): Promise<Pattern> {
  const text = json.at('String');
  if (!text.missing) return text.string() || /(?:)/gu;
  const regex = json.at('Regex');
  const source = regex.string();
  const { compile } = await import('./expression.ts');
  try {
    return compile(source);
  } catch (error) {
    return regex.fail(`${(error as Error).message}; the expression is ${source}`);
  }
}

/** Calls `visit` for every match in order. An empty match right behind another one doesn't count. */
export function eachMatch(text: string, pattern: Pattern, visit: (start: number, end: number) => void): void {
  if (typeof pattern === 'string') {
    for (let start; (start = text.indexOf(pattern, start)) >= 0; start += pattern.length) {
      visit(start, start + pattern.length);
    }
    return;
  }
  let last = -1;
  pattern.lastIndex = 0;
  for (let match; (match = pattern.exec(text));) {
    const { index } = match;
    const end = index + match[0].length;
    if (index === end) pattern.lastIndex += unitsAt(text, end);
    if (index < end || last !== end) visit(index, end);
    last = end;
  }
}
