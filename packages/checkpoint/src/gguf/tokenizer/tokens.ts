// The vocabulary that a GGUF file carries, and the parts of a tokenizer.json that every kind of it shares.
import { quoted } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Metadata } from '../metadata.ts';

/** llama_token_type of llama.h. */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  readonly metadata: Metadata;
  readonly tokens: readonly string[];
  /** Of each token; all normal where the file does not say. */
  readonly types: ArrayLike<number>;
}

/** Throws a CheckpointError where lists differ in length or a token comes twice. */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const tokens = metadata.texts('tokenizer.ggml.tokens');
  const types = metadata.has('tokenizer.ggml.token_type')
    ? metadata.numbers('tokenizer.ggml.token_type')
    : new Uint8Array(tokens.length).fill(tokenTypes.normal);
  if (types.length !== tokens.length)
    metadata.fail('tokenizer.ggml.token_type', `it has ${types.length} entries`, `${tokens.length}, one a token`);
  const twice = firstTwice(tokens);
  if (twice !== undefined) metadata.fail('tokenizer.ggml.tokens', `${quoted(twice)} comes twice`, 'different tokens');
  return { metadata, tokens, types };
}

function firstTwice(tokens: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const token of tokens) {
    if (seen.has(token)) return token;
    seen.add(token);
  }
  return undefined;
}

/** The score of each token. */
export function readScores({ metadata, tokens }: Vocabulary): ArrayLike<number> {
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores.length !== tokens.length)
    metadata.fail('tokenizer.ggml.scores', `it has ${scores.length} entries`, `${tokens.length}, one a token`);
  return scores;
}

/** Text to id, as tokenizer.json has it. No prototype, because tokens are called anything. */
export function vocab(tokens: readonly string[]): Record<string, number> {
  const ids = Object.create(null) as Record<string, number>;
  tokens.forEach((token, id) => (ids[token] = id));
  return ids;
}

/** Tokens that are found in the text before it is cut: control tokens and those that users defined. */
export function addedTokens({ tokens, types }: Vocabulary): JsonObject[] {
  return tokens.flatMap((content, id) => {
    const type = types[id]!;
    const special = type === tokenTypes.control || type === tokenTypes.unknown;
    if (!special && type !== tokenTypes.userDefined) return [];
    return [{ id, content, special, single_word: false, lstrip: false, rstrip: false, normalized: false }];
  });
}

/** A token by the key of its id, such as `bos`. Undefined where the file has none. */
export function tokenOf({ metadata, tokens }: Vocabulary, name: string): string | undefined {
  const key = `tokenizer.ggml.${name}_token_id`;
  if (!metadata.has(key)) return undefined;
  const id = metadata.count(key);
  return tokens[id] ?? metadata.fail(key, `it is ${id}`, `0 to ${tokens.length - 1}`);
}

/** A template that puts the tokens at both ends, for a text and a pair of texts; null where there are none. */
export function template(
  first: string | undefined,
  last: string | undefined,
  vocabulary: Vocabulary,
): JsonObject | null {
  if (first === undefined && last === undefined) return null;
  const special = (token: string | undefined, type: number): JsonObject[] =>
    token === undefined ? [] : [{ SpecialToken: { id: token, type_id: type } }];
  const text = (id: 'A' | 'B', type: number): JsonObject[] => [{ Sequence: { id, type_id: type } }];
  const single = [...special(first, 0), ...text('A', 0), ...special(last, 0)];
  const ends = [first, last].filter((token) => token !== undefined);
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, ...special(first, 1), ...text('B', 1), ...special(last, 1)],
    special_tokens: Object.fromEntries(
      ends.map((token) => [token, { id: token, ids: [vocabulary.tokens.indexOf(token)], tokens: [token] }]),
    ),
  };
}

/** Which tokens go to the ends: what the file says, else what is usual for its kind. */
export function ends(
  vocabulary: Vocabulary,
  usual: { readonly bos: boolean; readonly eos: boolean },
): JsonObject | null {
  const { metadata } = vocabulary;
  const bos = metadata.flag('tokenizer.ggml.add_bos_token', usual.bos);
  const eos = metadata.flag('tokenizer.ggml.add_eos_token', usual.eos);
  return template(
    bos ? tokenOf(vocabulary, 'bos') : undefined,
    eos ? tokenOf(vocabulary, 'eos') : undefined,
    vocabulary,
  );
}
