// "t5": SentencePiece unigram, with the normalizer's tables.
import type { JsonObject } from '../../json.ts';
import { addedTokens, ends, readScores, tokenTypes, type Vocabulary } from './tokens.ts';

export function unigram(vocabulary: Vocabulary): JsonObject {
  const { metadata, tokens, types } = vocabulary;
  const scores = readScores(vocabulary);
  const unknown = tokens.findIndex((_, id) => types[id] === tokenTypes.unknown);
  if (unknown < 0) metadata.fail('tokenizer.ggml.token_type', 'no token is the unknown one', 'one of type 2');
  const spaced = metadata.flag('tokenizer.ggml.add_space_prefix', true);
  const metaspace = {
    type: 'Metaspace',
    replacement: '▁',
    add_prefix_space: spaced,
    prepend_scheme: spaced ? 'always' : 'never',
  };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    normalizer: normalizer(vocabulary),
    pre_tokenizer: metadata.flag('tokenizer.ggml.remove_extra_whitespaces', false)
      ? { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] }
      : metaspace,
    post_processor: ends(vocabulary, { bos: false, eos: true }),
    decoder: metaspace,
    model: {
      type: 'Unigram',
      unk_id: unknown,
      byte_fallback: types.length > 0 && tokens.some((_, id) => types[id] === tokenTypes.byte),
      vocab: tokens.map((token, id) => [token, scores[id]!]),
    },
  };
}

function normalizer({ metadata }: Vocabulary): JsonObject | null {
  const key = 'tokenizer.ggml.precompiled_charsmap';
  if (!metadata.has(key)) return null;
  const map = metadata.numbers(key);
  if (map.BYTES_PER_ELEMENT !== 1) metadata.fail(key, 'its elements are wider than a byte', 'bytes');
  const bytes = new Uint8Array(map.buffer, map.byteOffset, map.byteLength);
  return { type: 'Precompiled', precompiled_charsmap: base64(bytes) };
}

/** Strings of at most 8,192 characters, because each byte is an argument. */
function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}
