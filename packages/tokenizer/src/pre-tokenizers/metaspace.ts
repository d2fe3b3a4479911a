// Metaspace: spaces become a visible character (▁), one more may go in front, and every word begins with one.
import type { Json } from '../json.ts';
import { replaceAll } from '../normalizers/replace.ts';
import type { Edit } from '../text.ts';
import type { Stage } from './stage.ts';

const SCHEMES = ['always', 'first', 'never'] as const;

export interface MetaspaceOptions {
  replacement: string;
  prepend: (typeof SCHEMES)[number];
  split: boolean;
}

/** Also for the decoder, which has the same fields. Files of before 2024 say `add_prefix_space` and mean always or never. */
export function readMetaspace(json: Json): MetaspaceOptions {
  const replacement = json.at('replacement').string();
  if ([...replacement].length !== 1) json.fail('must be one character', '.replacement');
  const old = json.at('add_prefix_space').boolean(true) ? 'always' : 'never';
  return { replacement, prepend: json.at('prepend_scheme').oneOf(SCHEMES, old), split: json.at('split').boolean(true) };
}

export function metaspace(json: Json): Stage[] {
  const { replacement, prepend, split } = readMetaspace(json);
  const stages: Stage[] = [{ edit: replaceAll(' ', replacement) }];
  if (prepend !== 'never') stages.push({ edit: beginWith(replacement, prepend === 'first') });
  if (split) stages.push({ cut: (text) => cutBefore(text, replacement) });
  return stages;
}

/** Puts the prefix before a text that doesn't begin with it. */
export function beginWith(prefix: string, onlyFirst: boolean): Edit {
  return {
    rewrite(text, put, first) {
      if (!text.startsWith(prefix) && (first || !onlyFirst)) put(prefix, 0);
      for (let i = 0; i < text.length; i++) put(text[i]!, i);
    },
    plain: (text, first) => (!text.startsWith(prefix) && (first || !onlyFirst) ? prefix + text : text),
    usesFirst: onlyFirst,
  };
}

function cutBefore(text: string, mark: string): number[] {
  const cuts: number[] = [];
  for (let start = 0; start < text.length;) {
    const next = text.indexOf(mark, start + 1);
    const end = next < 0 ? text.length : next;
    cuts.push(start, end);
    start = end;
  }
  return cuts;
}
