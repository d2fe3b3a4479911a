// Every pre-tokenizer of tokenizer.json by its `type`.
import type { Json } from '../json.ts';
import { byteLevel } from './byte-level.ts';
import { metaspace } from './metaspace.ts';
import { unicodeScripts } from './scripts.ts';
import { split } from './split.ts';
import type { Stage } from './stage.ts';
import { bert, charDelimiterSplit, digits, fixedLength, punctuation, whitespace, whitespaceSplit } from './words.ts';

const preTokenizers: Readonly<Record<string, (json: Json) => Stage[]>> = {
  BertPreTokenizer: bert,
  ByteLevel: byteLevel,
  CharDelimiterSplit: charDelimiterSplit,
  Digits: digits,
  FixedLength: fixedLength,
  Metaspace: metaspace,
  Punctuation: punctuation,
  Sequence: (json) => json.at('pretokenizers').list().flatMap(readPreTokenizer),
  Split: split,
  UnicodeScripts: unicodeScripts,
  Whitespace: whitespace,
  WhitespaceSplit: whitespaceSplit,
};

export function readPreTokenizer(json: Json): Stage[] {
  return json.missing ? [] : json.build(preTokenizers);
}
