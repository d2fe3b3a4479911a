// A tokenizer from a tiktoken file: one line a token, its bytes in base64 and its rank, which is both its id and its place in
// the order of merging.
import { SPECIAL } from '../added-tokens.ts';
import type { Chat } from '../chat/chat-template.ts';
import { byteLevel } from '../decoders/bytes.ts';
import { BYTE_CHARACTERS, toByteCharacters } from '../byte-level.ts';
import { TokenizerError } from '../errors.ts';
import { isCount, show } from '../json.ts';
import { JoinedBpe } from '../models/joined-bpe.ts';
import { compile } from '../expression.ts';
import { cutAt } from '../pre-tokenizers/split.ts';
import { Tokenizer } from '../tokenizer.ts';
import { encodings, type TiktokenEncoding } from './encodings.ts';

export interface TiktokenOptions {
  /** A known encoding, or the expression and special tokens of another one. */
  encoding: keyof typeof encodings | TiktokenEncoding;
  /** What messages call the file. */
  name?: string;
  chat?: Chat;
}

/** Special tokens in a text become their ids. Throws TokenizerError with the line that is wrong. */
export function tiktoken(bytes: Uint8Array, { encoding, name = 'tiktoken file', chat }: TiktokenOptions): Tokenizer {
  const fail = (problem: string): never => {
    throw new TokenizerError(`${name}: ${problem}`);
  };
  const known: Readonly<Record<string, TiktokenEncoding>> = encodings;
  const { pattern, specialTokens } =
    typeof encoding !== 'string'
      ? encoding
      : (known[encoding] ?? fail(`the encoding ${encoding} is not known; known are ${Object.keys(known).join(', ')}`));
  const vocab = readRanks(bytes, fail);
  const taken = new Set(vocab.values());
  for (const [token, id] of Object.entries(specialTokens)) {
    if (!isCount(id) || taken.has(id)) fail(`the special token ${token} has the id ${id}, which must be free`);
    taken.add(id);
  }
  return new Tokenizer({
    addedTokens: Object.entries(specialTokens).map(([content, id]) => ({ ...SPECIAL, id, content })),
    normalizer: [],
    preTokenizer: [cutAt(readExpression(pattern, fail), 'Isolated'), { edit: toByteCharacters }],
    model: new JoinedBpe({ vocab, ranks: vocab, unknown: -1, whole: true }),
    postProcessor: { added: () => 0, process: (parts) => parts },
    decoder: byteLevel,
    chat,
  });
}

function readExpression(pattern: string, fail: (problem: string) => never): RegExp {
  try {
    return compile(pattern);
  } catch (error) {
    return fail(`the pattern ${(error as Error).message}; it is ${pattern}`);
  }
}

/** From the token's bytes, written in GPT-2's alphabet, to its rank. */
function readRanks(bytes: Uint8Array, fail: (problem: string) => never): Map<string, number> {
  const ranks = new Map<string, number>();
  const seen = new Set<number>();
  const lines = new TextDecoder('latin1').decode(bytes).split('\n');
  for (const [i, line] of lines.entries()) {
    const [, base64, digits] = /^([\w+/]+={0,2}) (\d{1,10})\r?$/.exec(line) ?? [];
    if (base64 === undefined) {
      if (line.trim()) fail(`line ${i + 1} is ${show(line)}; it must be a token in base64 and its rank`);
      continue;
    }
    const rank = Number(digits);
    if (!isCount(rank) || seen.has(rank)) fail(`line ${i + 1}: the rank ${digits} is too large or taken`);
    seen.add(rank);
    const token = toCharacters(base64);
    if (token === undefined || ranks.has(token)) fail(`line ${i + 1}: ${base64} is no base64, or a token twice`);
    ranks.set(token!, rank);
  }
  const missing = BYTE_CHARACTERS.findIndex((character) => !ranks.has(character));
  if (missing >= 0) fail(`there is no token for the byte ${missing}; every byte must be one`);
  return ranks;
}

function toCharacters(base64: string): string | undefined {
  try {
    return Array.from(atob(base64), (byte) => BYTE_CHARACTERS[byte.charCodeAt(0)]).join('');
  } catch {
    return undefined;
  }
}
