// Cutting at matches of a pattern. The five ways to treat a match are those of `tokenizers`; for "-" in "the-final--countdown":
//   Removed            the final countdown
//   Isolated           the - final - - countdown
//   Contiguous         the - final -- countdown
//   MergedWithPrevious the- final- - countdown
//   MergedWithNext     the -final - -countdown
import type { Json } from '../json.ts';
import { eachMatch, readPattern, type Pattern } from '../pattern.ts';
import type { Stage } from './stage.ts';

const BEHAVIORS = ['Removed', 'Isolated', 'Contiguous', 'MergedWithPrevious', 'MergedWithNext'] as const;
export type Behavior = (typeof BEHAVIORS)[number];

export function readBehavior(json: Json, fallback?: Behavior): Behavior {
  return json.oneOf(BEHAVIORS, fallback);
}

export async function split(json: Json): Promise<Stage[]> {
  const behavior = readBehavior(json.at('behavior'));
  return [cutAt(await readPattern(json.at('pattern')), behavior, json.at('invert').boolean(false))];
}

export function cutAt(pattern: Pattern, behavior: Behavior, invert = false): Stage {
  return { cut: (text) => cut(text, pattern, behavior, invert) };
}

function cut(text: string, pattern: Pattern, behavior: Behavior, invert: boolean): number[] {
  const cuts: number[] = [];
  let matchBefore = false;
  // Whether the piece at hand goes on with the last one instead of beginning its own.
  const joins = (match: boolean): boolean => {
    switch (behavior) {
      case 'Removed':
      case 'Isolated':
        return false;
      case 'Contiguous':
        return match === matchBefore;
      case 'MergedWithPrevious':
        return match && !matchBefore;
      case 'MergedWithNext':
        return matchBefore && !match;
      default:
        return behavior satisfies never;
    }
  };
  const add = (start: number, end: number, match: boolean): void => {
    if (!match || behavior !== 'Removed') {
      if (cuts.length > 0 && joins(match)) cuts[cuts.length - 1] = end;
      else cuts.push(start, end);
    }
    matchBefore = match;
  };
  let done = 0;
  eachMatch(text, pattern, (start, end) => {
    if (done < start) add(done, start, invert);
    add(start, end, !invert);
    done = end;
  });
  if (done < text.length) add(done, text.length, invert);
  return cuts;
}
