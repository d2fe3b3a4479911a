// The decoders that join and trim: Fuse, Replace, Strip, BPEDecoder.
import type { Json } from '../json.ts';
import { eachMatch, readPattern, type Pattern } from '../pattern.ts';
import { eachToken, type Decoder } from './step.ts';

export const fuse: Decoder = {
  start: (emit) => {
    let begun = false;
    return {
      push: (text) => {
        emit(text, begun);
        begun = true;
      },
      end() {},
    };
  },
  fuses: true,
  takesPieces: true,
};

export async function replace(json: Json): Promise<Decoder> {
  const pattern = await readPattern(json.at('pattern'));
  const content = json.at('content').string();
  if (typeof pattern === 'string') return replaceText(pattern, content);
  return eachToken((token) => replaceIn(token, pattern, content));
}

function replaceIn(text: string, pattern: Pattern, content: string): string {
  let result = '';
  let done = 0;
  eachMatch(text, pattern, (start, end) => {
    result += text.slice(done, start) + content;
    done = end;
  });
  return result + text.slice(done);
}

/** Of a token in pieces, the end is held back as long as it may begin a match. */
export function replaceText(text: string, content: string): Decoder {
  return {
    start: (emit) => {
      let held = '';
      let begun = false;
      const give = (result: string): void => {
        if (result || !begun) emit(result, begun);
        begun = true;
      };
      const release = (): void => {
        if (held) give(held);
        held = '';
      };
      return {
        push: (piece, more) => {
          if (!more) {
            release();
            begun = false;
          }
          const all = held + piece;
          let done = 0;
          let result = '';
          for (let at; (at = all.indexOf(text, done)) >= 0; done = at + text.length) {
            result += all.slice(done, at) + content;
          }
          const open = beginning(all, done, text);
          held = all.slice(open);
          give(result + all.slice(done, open));
        },
        end: release,
      };
    },
    takesPieces: true,
  };
}

/** Where the longest end of `all` starts that could be the beginning of `text`. */
function beginning(all: string, from: number, text: string): number {
  for (let at = Math.max(from, all.length - text.length + 1); at < all.length; at++) {
    if (text.startsWith(all.slice(at))) return at;
  }
  return all.length;
}

/** Strip: up to so many of one character go from the ends of each token. */
export function strip(json: Json): Decoder {
  const content = json.at('content').string();
  if ([...content].length !== 1) json.fail('must be one character', '.content');
  const start = json.at('start').count();
  const stop = json.at('stop').count();
  return {
    start: (emit) => {
      let skip = 0; // how many more may go from the start
      let held = 0; // how many at the end so far
      return {
        push: (piece, more) => {
          if (!more) {
            skip = start;
            held = 0;
          }
          let from = 0;
          while (skip > 0 && piece.startsWith(content, from)) {
            from += content.length;
            skip--;
          }
          if (from < piece.length) skip = 0;
          let to = piece.length;
          let after = 0;
          while (after < stop && to > from && piece.endsWith(content, to)) {
            to -= content.length;
            after++;
          }
          // What was held back stays back only as far as nothing but the same character follows.
          const released = to > from ? held : Math.max(0, held + after - stop);
          emit(content.repeat(released) + piece.slice(from, to), more);
          held = held - released + after;
        },
        end() {},
      };
    },
    takesPieces: true,
  };
}

/** BPEDecoder: the mark at the end of words becomes a space, but nothing at the very end. */
export function bpeDecoder(json: Json): Decoder {
  const suffix = json.at('suffix').string('</w>');
  return {
    start: (emit) => {
      let last: string | undefined;
      return {
        push: (text) => {
          if (last !== undefined) emit(last.replaceAll(suffix, ' '), false);
          last = text;
        },
        end: () => {
          if (last !== undefined) emit(last.replaceAll(suffix, ''), false);
        },
      };
    },
  };
}
