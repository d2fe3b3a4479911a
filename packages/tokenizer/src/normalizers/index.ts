// Every normalizer of tokenizer.json by its `type`.
import type { Json } from '../json.ts';
import type { Edit } from '../text.ts';
import { precompiled } from './precompiled.ts';
import { prepend } from './prepend.ts';
import { replace } from './replace.ts';
import { strip } from './strip.ts';

const normalizers: Readonly<Record<string, (json: Json) => Edit[]>> = {
  Precompiled: precompiled,
  Prepend: prepend,
  Replace: replace,
  Sequence: (json) => json.at('normalizers').list().flatMap(readNormalizer),
  Strip: strip,
};

export function readNormalizer(json: Json): Edit[] {
  return json.missing ? [] : json.build(normalizers);
}
