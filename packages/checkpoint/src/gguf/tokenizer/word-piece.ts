// "bert": WordPiece. The file marks beginnings of words with ▁ where vocab.txt marks continuations with ##.
import type { JsonObject } from '../../json.ts';
import { addedTokens, template, tokenOf, tokenTypes, vocab, type Vocabulary } from './tokens.ts';

export function wordPiece(vocabulary: Vocabulary): JsonObject {
  const { metadata, tokens, types } = vocabulary;
  const isBracketed = (token: string): boolean => token.startsWith('[') && token.endsWith(']');
  const pieces = tokens.map((token, id) => {
    if (token.startsWith('▁')) return token.slice(1);
    return isBracketed(token) || types[id] !== tokenTypes.normal ? token : `##${token}`;
  });
  const own: Vocabulary = {
    metadata,
    tokens: pieces,
    types: pieces.map((piece, id) => (reserved.has(piece) ? tokenTypes.control : types[id]!)),
  };
  const named = (name: string, usual: string): string =>
    tokenOf(own, name) ??
    (pieces.includes(usual) ? usual : metadata.fail('tokenizer.ggml.tokens', `there is no ${usual}`, 'one'));
  const [cls, sep] = [tokenOf(own, 'cls') ?? named('bos', '[CLS]'), named('seperator', '[SEP]')];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(own),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: pairOf(template(cls, sep, own)!, cls),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: named('unknown', '[UNK]'),
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: vocab(pieces),
    },
  };
}

/** Tokens that stand for no text. Not all files mark them. */
const reserved = new Set(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);

/** In a pair the second text has no beginning of its own. */
function pairOf(processor: JsonObject, cls: string): JsonObject {
  const pair = processor.pair as { readonly SpecialToken?: { readonly id: string; readonly type_id: number } }[];
  return { ...processor, pair: pair.filter(({ SpecialToken: s }) => !(s?.id === cls && s.type_id === 1)) };
}
