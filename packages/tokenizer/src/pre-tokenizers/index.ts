// Every pre-tokenizer of tokenizer.json by its `type`.
import type { Json, Parts } from '../json.ts';
import { byteLevel } from './byte-level.ts';
import { metaspace } from './metaspace.ts';
import { split } from './split.ts';
import type { Stage } from './stage.ts';
import { bert, charDelimiterSplit, digits, fixedLength, punctuation, whitespace, whitespaceSplit } from './words.ts';

const preTokenizers: Parts<Stage[]> = {
  BertPreTokenizer: bert,
  ByteLevel: byteLevel,
  CharDelimiterSplit: charDelimiterSplit,
  Digits: digits,
  FixedLength: fixedLength,
  Metaspace: metaspace,
  Punctuation: punctuation,
  Sequence: (json) => json.at('pretokenizers').each(readPreTokenizer),
  Split: split,
  UnicodeScripts: async () => (await import('./scripts.ts')).unicodeScripts(),
  Whitespace: whitespace,
  WhitespaceSplit: whitespaceSplit,
};

export async function readPreTokenizer(json: Json): Promise<Stage[]> {
  return json.missing ? [] : json.build(preTokenizers);
}
