// Metaspace: the visible space becomes a space again, except in the first token, where it was put in.
import type { Json } from '../json.ts';
import { readMetaspace } from '../pre-tokenizers/metaspace.ts';
import { eachToken, type Decoder } from './step.ts';

export function metaspace(json: Json): Decoder {
  const { replacement, prepend } = readMetaspace(json);
  return eachToken((text, index) => text.replaceAll(replacement, index === 0 && prepend !== 'never' ? '' : ' '));
}
