// WordPiece (Schuster & Nakajima 2012; BERT): the longest token that begins the word, then the longest that goes on, marked
// with ##, and so forth. A word that can't be finished so is unknown as a whole.
import { TokenizerError } from '../errors.ts';
import { show, type Json } from '../json.ts';
import { unitsAt } from '../text.ts';
import { Trie } from '../trie.ts';
import type { Model, Tokens } from './model.ts';
import { readVocab } from './vocab.ts';

export interface WordPieceOptions {
  vocab: ReadonlyMap<string, number>;
  unknown: string;
  prefix: string;
  /** Longer words, in code points, are unknown. */
  maxCharacters: number;
}

export class WordPiece implements Model {
  readonly vocab: ReadonlyMap<string, number>;
  readonly #options: WordPieceOptions;
  readonly #first = new Trie();
  readonly #next = new Trie();

  constructor(options: WordPieceOptions) {
    this.vocab = options.vocab;
    this.#options = options;
    const { prefix } = options;
    for (const [token, id] of options.vocab) {
      if (token) this.#first.add(token, id);
      if (token.startsWith(prefix) && token.length > prefix.length) this.#next.add(token.slice(prefix.length), id);
    }
  }

  encode(word: string): Tokens {
    return (!this.#isLong(word) && this.#cut(word)) || this.#unknown(word);
  }

  #cut(word: string): Tokens | undefined {
    const tokens: Tokens = { ids: [], spans: [] };
    for (let start = 0; start < word.length;) {
      const trie = start === 0 ? this.#first : this.#next;
      let id = -1;
      let end = start;
      for (let node = 0, i = start; i < word.length;) {
        node = trie.step(node, word.charCodeAt(i++));
        if (node < 0) break;
        if (trie.idAt(node) < 0) continue;
        id = trie.idAt(node);
        end = i;
      }
      if (id < 0) return undefined;
      tokens.ids.push(id);
      tokens.spans.push(start, end);
      start = end;
    }
    return tokens;
  }

  #isLong(word: string): boolean {
    let left = this.#options.maxCharacters;
    for (let i = 0; i < word.length && left >= 0; i += unitsAt(word, i)) left--;
    return left < 0;
  }

  #unknown(word: string): Tokens {
    const { unknown } = this.#options;
    const id = this.vocab.get(unknown);
    if (id === undefined) {
      throw new TokenizerError(
        `word piece: no tokens for ${show(word)}, and unk_token ${show(unknown)} is not in vocab`,
      );
    }
    return { ids: [id], spans: [0, word.length] };
  }
}

export function wordPiece(json: Json): WordPiece {
  return new WordPiece({
    vocab: readVocab(json.at('vocab')),
    unknown: json.at('unk_token').string('[UNK]'),
    prefix: json.at('continuing_subword_prefix').string('##'),
    maxCharacters: json.at('max_input_chars_per_word').count(100),
  });
}
