// Byte pair encoding without a list of merges: two neighbours merge when their joined text is a token, the best token first.
// SentencePiece and tiktoken store it so.
import { unitsAt } from '../text.ts';
import type { Trie } from '../trie.ts';
import { byteTokens } from './byte-fallback.ts';
import { mergeAll } from './merge.ts';
import type { Model, Tokens } from './model.ts';

export interface JoinedBpeOptions {
  vocab: ReadonlyMap<string, number>;
  /** What merging can make, and the rank of each, 0 best. */
  ranks: ReadonlyMap<string, number>;
  /** Stands for a run of characters outside the vocabulary. */
  unknown: number;
  byteFallback?: boolean;
  /** Texts that are one symbol from the start and never merge. */
  frozen?: Trie;
  /** Made by merging but taken apart again at the end. */
  unused?: ReadonlySet<string>;
  /** A word that is a token needs no merges. */
  whole?: boolean;
}

export class JoinedBpe implements Model {
  readonly vocab: ReadonlyMap<string, number>;
  readonly #options: JoinedBpeOptions;

  constructor(options: JoinedBpeOptions) {
    this.vocab = options.vocab;
    this.#options = options;
  }

  encode(word: string): Tokens {
    const { ranks, frozen, whole, unused } = this.#options;
    const tokens: Required<Tokens> = { ids: [], spans: [], texts: new Map() };
    if (whole && this.vocab.has(word)) {
      this.#add(word, 0, word.length, tokens);
      return tokens;
    }
    const starts: number[] = [];
    const ends: number[] = [];
    const free: boolean[] = [];
    for (let start = 0; start < word.length; start = ends.at(-1)!) {
      const end = frozen ? frozen.longest(word, start) : start;
      starts.push(start);
      ends.push(end > start ? end : start + unitsAt(word, start));
      free.push(end === start);
    }
    // How the unused tokens were made: the length of their left part.
    const lefts = new Map<string, number>();
    const add = (start: number, end: number): void => {
      const left = unused?.size ? lefts.get(word.slice(start, end)) : undefined;
      if (left === undefined) {
        this.#add(word, start, end, tokens);
      } else {
        add(start, start + left);
        add(start + left, end);
      }
    };
    mergeAll(
      starts.length,
      {
        rank: (left, right) => {
          if (!free[left] || !free[right]) return -1;
          const text = word.slice(starts[left]!, ends[right]!);
          if (unused?.has(text)) lefts.set(text, starts[right]! - starts[left]!);
          return ranks.get(text) ?? -1;
        },
        merge: (left, right) => {
          ends[left] = ends[right]!;
        },
      },
      (i) => add(starts[i]!, ends[i]!),
    );
    return tokens;
  }

  /** Appends the token of one symbol. */
  #add(word: string, start: number, end: number, { ids, spans, texts }: Required<Tokens>): void {
    const { unknown, byteFallback } = this.#options;
    const text = word.slice(start, end);
    const id = this.vocab.get(text) ?? unknown;
    const bytes = id === unknown && byteFallback && byteTokens(text, this.vocab);
    if (bytes) {
      for (const byte of bytes) {
        ids.push(byte);
        spans.push(start, end);
      }
    } else if (id === unknown && ids.at(-1) === unknown) {
      spans[spans.length - 1] = end;
      texts.set(ids.length - 1, word.slice(spans.at(-2), end));
    } else {
      if (id === unknown) texts.set(ids.length, text);
      ids.push(id);
      spans.push(start, end);
    }
  }
}
