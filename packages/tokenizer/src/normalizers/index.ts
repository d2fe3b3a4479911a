// Every normalizer of tokenizer.json by its `type`.
import { toByteCharacters } from '../byte-level.ts';
import type { Json, Parts } from '../json.ts';
import type { Edit } from '../text.ts';
import { bertNormalizer } from './bert.ts';
import { normalForm } from './normal-form.ts';
import { prepend } from './prepend.ts';
import { replace } from './replace.ts';
import { strip } from './strip.ts';
import { lowercase, nmt, stripAccents } from './unicode.ts';

const normalizers: Parts<Edit[]> = {
  BertNormalizer: bertNormalizer,
  ByteLevel: () => [toByteCharacters],
  Lowercase: () => [lowercase],
  NFC: () => [normalForm('NFC')],
  NFD: () => [normalForm('NFD')],
  NFKC: () => [normalForm('NFKC')],
  NFKD: () => [normalForm('NFKD')],
  Nmt: () => nmt,
  Precompiled: async (json) => (await import('./precompiled.ts')).precompiled(json),
  Prepend: prepend,
  Replace: replace,
  Sequence: (json) => json.at('normalizers').each(readNormalizer),
  Strip: strip,
  StripAccents: () => [stripAccents],
};

export async function readNormalizer(json: Json): Promise<Edit[]> {
  return json.missing ? [] : json.build(normalizers);
}
