// "llama": SentencePiece BPE, stored as pieces with scores. Merging the neighbours of the best score first is BPE whose merges
// come in the order of the scores; tokenizer.json wants them written out.
import type { JsonObject } from '../../json.ts';
import { addedTokens, ends, readScores, tokenTypes, vocab, type Vocabulary } from './tokens.ts';

/** Splitting a piece at every place takes time by the square of its length; the longest ones in use have 64 characters. */
const MAX_PIECE = 256;

export function sentencePiece(vocabulary: Vocabulary): JsonObject {
  const { metadata, tokens, types } = vocabulary;
  const spaced = metadata.flag('tokenizer.ggml.add_space_prefix', true);
  if (metadata.flag('tokenizer.ggml.remove_extra_whitespaces', false))
    metadata.fail('tokenizer.ggml.remove_extra_whitespaces', 'true is not supported for this kind', 'false');
  const unknown = tokens.find((_, id) => types[id] === tokenTypes.unknown);
  const bytes = tokens.some((_, id) => types[id] === tokenTypes.byte);
  const space = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const prefix = { type: 'Prepend', prepend: '▁' };
  const decoders: JsonObject[] = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    normalizer: spaced ? { type: 'Sequence', normalizers: [prefix, space] } : space,
    pre_tokenizer: null,
    post_processor: ends(vocabulary, { bos: true, eos: false }),
    decoder: {
      type: 'Sequence',
      decoders: spaced ? [...decoders, { type: 'Strip', content: ' ', start: 1, stop: 0 }] : decoders,
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: bytes,
      vocab: vocab(tokens),
      merges: merges(vocabulary),
    },
  };
}

/** Every way to make a piece of two others, the best pieces first; of one piece, in the order of its parts' ids. */
function merges(vocabulary: Vocabulary): [string, string][] {
  const { metadata, tokens, types } = vocabulary;
  const scores = readScores(vocabulary);
  const ids = new Map(tokens.flatMap((token, id) => (types[id] === tokenTypes.normal ? [[token, id] as const] : [])));
  const found: { readonly left: string; readonly right: string; readonly score: number }[] = [];
  for (const [token, id] of ids) {
    if (token.length > MAX_PIECE)
      metadata.fail('tokenizer.ggml.tokens', `token ${id} has ${token.length} characters`, `at most ${MAX_PIECE}`);
    const ways: [left: string, right: string][] = [];
    for (let cut = 1; cut < token.length; cut++) {
      const [left, right] = [token.slice(0, cut), token.slice(cut)];
      if (ids.has(left) && ids.has(right)) ways.push([left, right]);
    }
    ways.sort(([a, b], [c, d]) => ids.get(a)! - ids.get(c)! || ids.get(b)! - ids.get(d)!);
    for (const [left, right] of ways) found.push({ left, right, score: scores[id]! });
  }
  found.sort((a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length);
  return found.map(({ left, right }) => [left, right]);
}
