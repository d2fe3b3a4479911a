// Every decoder of tokenizer.json by its `type`.
import type { Json, Parts } from '../json.ts';
import { byteFallback, byteLevel } from './bytes.ts';
import { metaspace } from './metaspace.ts';
import { eachToken, sequence, type Decoder } from './step.ts';
import { bpeDecoder, fuse, replace, strip } from './text.ts';
import { ctc, wordPiece } from './words.ts';

const decoders: Parts<Decoder[]> = {
  BPEDecoder: (json) => [bpeDecoder(json)],
  ByteFallback: () => [byteFallback],
  ByteLevel: () => [byteLevel],
  CTC: (json) => [ctc(json)],
  Fuse: () => [fuse],
  Metaspace: (json) => [metaspace(json)],
  Replace: async (json) => [await replace(json)],
  Sequence: (json) => json.at('decoders').each(readDecoders),
  Strip: (json) => [strip(json)],
  WordPiece: (json) => [wordPiece(json)],
};

/** Without a decoder tokens stand apart. */
export async function readDecoder(json: Json): Promise<Decoder> {
  return json.missing
    ? eachToken((text, index) => (index > 0 ? ` ${text}` : text))
    : sequence(await readDecoders(json));
}

async function readDecoders(json: Json): Promise<Decoder[]> {
  return json.build(decoders);
}
