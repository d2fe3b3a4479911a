// Every decoder of tokenizer.json by its `type`.
import type { Json } from '../json.ts';
import { metaspace } from './metaspace.ts';
import { sequence, type Decoder } from './step.ts';

const decoders: Readonly<Record<string, (json: Json) => Decoder>> = {
  Metaspace: metaspace,
  Sequence: (json) => sequence(json.at('decoders').list().map(readDecoder)),
};

export function readDecoder(json: Json): Decoder {
  return json.missing ? spaced : json.build(decoders);
}

/** Without a decoder tokens stand apart. */
const spaced: Decoder = (emit) => {
  let tokens = 0;
  return {
    push: (text, more) => emit(!more && tokens++ > 0 ? ` ${text}` : text, more),
    end() {},
  };
};
