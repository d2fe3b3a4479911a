// What a Replace or Split looks for: a string or a regular expression.
import type { Json } from './json.ts';

const SPECIAL = /[\\^$.*+?()[\]{}|/-]/g;

/** A global, Unicode-aware expression for `{"String": …}` or `{"Regex": …}`. */
export function readPattern(json: Json): RegExp {
  const text = json.at('String');
  if (!text.missing) return literal(text.string());
  const source = json.at('Regex').string();
  try {
    return new RegExp(source, 'gu');
  } catch (error) {
    return json.fail(`is no regular expression: ${(error as Error).message}`, '.Regex');
  }
}

export function literal(text: string): RegExp {
  return new RegExp(text.replace(SPECIAL, '\\$&'), 'gu');
}
