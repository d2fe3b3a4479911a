// SentencePiece's normalizer (normalizer.cc): replacements by the longest entry of the compiled map, runs of spaces to one,
// none at the ends, ▁ for each, and one more in front (or behind). User-defined symbols stay as they are.
import type { CharsMap } from '../normalizers/precompiled.ts';
import { unitsAt, type Edit, type Put } from '../text.ts';
import type { Trie } from '../trie.ts';
import type { SentencePieceFile } from './file.ts';

const encoder = new TextEncoder();

/** `symbols` holds the user-defined ones. */
export function normalizer(file: SentencePieceFile, symbols: Trie): Edit {
  const { charsMap, addDummyPrefix, removeExtraSpaces, spaceBehind } = file;
  const space = file.escapeSpaces ? '▁' : ' ';
  const before = addDummyPrefix && !spaceBehind ? space : '';
  const behind = addDummyPrefix && spaceBehind ? space : '';
  const rewrite = (text: string, put: Put): void => {
    let held: { source: number; last: number }[] = []; // spaces that are dropped unless something follows
    let afterSpace = removeExtraSpaces;
    let begun = false;
    const write = (piece: string, source: number, last: number): void => {
      if (removeExtraSpaces && piece === space) {
        held.push({ source, last });
        return;
      }
      for (const each of held) put(space, each.source, each.last);
      held = [];
      put(piece, source, last);
    };
    const begin = (): void => {
      if (!begun && before) write(before, -1, -1);
      begun = true;
    };
    eachReplacement(text, charsMap, symbols, (replacement, start, end) => {
      if (!begun && removeExtraSpaces && replacement === ' ') return;
      begin();
      let from = 0;
      while (afterSpace && replacement[from] === ' ') from++;
      for (const character of replacement.slice(from)) write(character === ' ' ? space : character, start, end - 1);
      if (from < replacement.length) afterSpace = removeExtraSpaces && replacement.endsWith(' ');
    });
    if (begun && behind) {
      held = [];
      put(behind, text.length - 1);
    }
  };
  if (charsMap || removeExtraSpaces) return { rewrite };
  return { rewrite, plain: (text) => text && before + text.replaceAll(' ', space) + behind };
}

/** Calls `visit` with what each stretch of the text becomes, in order. */
function eachReplacement(
  text: string,
  map: CharsMap | undefined,
  symbols: Trie,
  visit: (replacement: string, start: number, end: number) => void,
): void {
  const bytes = map ? encoder.encode(text) : undefined;
  for (let start = 0, end = 0, byte = 0; start < text.length; start = end) {
    end = symbols.longest(text, start);
    if (end > start) {
      if (bytes) byte += encoder.encode(text.slice(start, end)).length;
      visit(text.slice(start, end), start, end);
      continue;
    }
    const found = bytes && map!.find(bytes, byte, true);
    const target = found ? byte + found.length : 0;
    end = start;
    do {
      const point = text.codePointAt(end)!;
      byte += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      end += unitsAt(text, end);
    } while (byte < target);
    visit(found ? found.text : text.slice(start, end), start, end);
  }
}
