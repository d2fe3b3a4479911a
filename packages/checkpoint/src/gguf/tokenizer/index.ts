// From the vocabulary in a GGUF file to the contents of a tokenizer.json.
import type { JsonObject } from '../../json.ts';
import type { Metadata } from '../metadata.ts';
import { byteLevel } from './byte-level.ts';
import { sentencePiece } from './sentencepiece.ts';
import { readVocabulary, tokenOf, type Vocabulary } from './tokens.ts';
import { unigram } from './unigram.ts';
import { wordPiece } from './word-piece.ts';

/** By `tokenizer.ggml.model`. */
const kinds: ReadonlyMap<string, (vocabulary: Vocabulary) => JsonObject> = new Map(
  Object.entries({ gpt2: byteLevel, llama: sentencePiece, bert: wordPiece, t5: unigram }),
);

export interface EmbeddedTokenizer {
  /** tokenizer.json */
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json: the names of special tokens, and the chat template. */
  readonly config: JsonObject;
}

/** Undefined where the file has no vocabulary. Throws a CheckpointError for a kind that is not known. */
export function readTokenizer(metadata: Metadata): EmbeddedTokenizer | undefined {
  if (!metadata.has('tokenizer.ggml.tokens')) return undefined;
  const model = metadata.text('tokenizer.ggml.model');
  const kind =
    kinds.get(model) ??
    metadata.fail('tokenizer.ggml.model', `"${model}" is not supported`, `one of ${[...kinds.keys()].join(', ')}`);
  const vocabulary = readVocabulary(metadata);
  const config: Record<string, unknown> = {};
  for (const [name, tokens] of [
    ['bos_token', 'bos'],
    ['eos_token', 'eos'],
    ['unk_token', 'unknown'],
    ['pad_token', 'padding'],
  ] as const) {
    const token = tokenOf(vocabulary, tokens);
    if (token !== undefined) config[name] = token;
  }
  if (metadata.has('tokenizer.chat_template')) config.chat_template = metadata.text('tokenizer.chat_template');
  return { tokenizer: kind(vocabulary), config };
}
