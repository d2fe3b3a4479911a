// Every pre-tokenizer of tokenizer.json by its `type`.
import type { Json } from '../json.ts';
import { metaspace } from './metaspace.ts';
import type { Stage } from './stage.ts';

const preTokenizers: Readonly<Record<string, (json: Json) => Stage[]>> = {
  Metaspace: metaspace,
  Sequence: (json) => json.at('pretokenizers').list().flatMap(readPreTokenizer),
};

export function readPreTokenizer(json: Json): Stage[] {
  return json.missing ? [] : json.build(preTokenizers);
}
