// WordLevel: every word is a token or unknown.
import { TokenizerError } from '../errors.ts';
import { show, type Json } from '../json.ts';
import type { Model } from './model.ts';
import { readVocab } from './vocab.ts';

export function wordLevel(json: Json): Model {
  const vocab = readVocab(json.at('vocab'));
  const unknown = vocab.get(json.at('unk_token').string());
  return {
    vocab,
    encode(word) {
      const id = vocab.get(word) ?? unknown;
      if (id === undefined)
        throw new TokenizerError(`word level: no token for ${show(word)}, and unk_token is not in vocab`);
      return { ids: [id], spans: [0, word.length] };
    },
  };
}
