// Every decoder of tokenizer.json by its `type`.
import type { Json } from '../json.ts';
import { byteFallback, byteLevel } from './bytes.ts';
import { metaspace } from './metaspace.ts';
import { eachToken, sequence, type Decoder } from './step.ts';
import { bpeDecoder, fuse, replace, strip } from './text.ts';
import { ctc, wordPiece } from './words.ts';

const decoders: Readonly<Record<string, (json: Json) => Decoder[]>> = {
  BPEDecoder: (json) => [bpeDecoder(json)],
  ByteFallback: () => [byteFallback],
  ByteLevel: () => [byteLevel],
  CTC: (json) => [ctc(json)],
  Fuse: () => [fuse],
  Metaspace: (json) => [metaspace(json)],
  Replace: (json) => [replace(json)],
  Sequence: (json) => json.at('decoders').list().flatMap(readDecoders),
  Strip: (json) => [strip(json)],
  WordPiece: (json) => [wordPiece(json)],
};

/** Without a decoder tokens stand apart. */
export function readDecoder(json: Json): Decoder {
  return json.missing ? eachToken((text, index) => (index > 0 ? ` ${text}` : text)) : sequence(readDecoders(json));
}

function readDecoders(json: Json): Decoder[] {
  return json.build(decoders);
}
