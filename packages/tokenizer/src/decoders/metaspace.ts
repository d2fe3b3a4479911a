// Metaspace: the visible space becomes a space again, except in the first token, where it was put in.
import type { Json } from '../json.ts';
import { readMetaspace } from '../pre-tokenizers/metaspace.ts';
import type { Decoder } from './step.ts';

export function metaspace(json: Json): Decoder {
  const { replacement, prepend } = readMetaspace(json);
  return (emit) => {
    let tokens = 0;
    return {
      push(text, more) {
        if (!more) tokens++;
        emit(text.replaceAll(replacement, tokens === 1 && prepend !== 'never' ? '' : ' '), more);
      },
      end() {},
    };
  };
}
