// WordPiece and CTC: spaces between words, and the clean-up of English that some models were trained with.
import type { Json } from '../json.ts';
import { eachToken, type Decoder } from './step.ts';

/** What goes wrong when tokens are joined with spaces, and what it becomes, in the order in which it is mended. */
export const CLEAN_UP: readonly (readonly [spaced: string, joined: string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function cleanUp(text: string): string {
  return CLEAN_UP.reduce((result, [spaced, joined]) => result.replaceAll(spaced, joined), text);
}

export function wordPiece(json: Json): Decoder {
  const prefix = json.at('prefix').string('##');
  const cleans = json.at('cleanup').boolean(true);
  return eachToken((token, index) => {
    let text = token;
    if (index > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    return cleans ? cleanUp(text) : text;
  });
}

/** Equal neighbours are one token, padding is nothing, and a delimiter stands for the space. */
export function ctc(json: Json): Decoder {
  const padding = json.at('pad_token').string('<pad>');
  const delimiter = json.at('word_delimiter_token').string('|');
  const cleans = json.at('cleanup').boolean(true);
  return {
    start: (emit) => {
      let last: string | undefined;
      return {
        push: (token) => {
          if (token === last) return;
          last = token;
          const text = token.replaceAll(padding, '');
          const result = cleans ? cleanUp(text).replaceAll(delimiter, ' ') : text;
          if (result) emit(result, false);
        },
        end() {},
      };
    },
  };
}
