// Byte pair encoding (Sennrich 2016): a word starts as single characters, and the pair of neighbours that was learned first
// merges, the leftmost of equal ones, until no pair is known.
import { TokenizerError } from '../errors.ts';
import { show, type Json } from '../json.ts';
import { PairTable } from '../pair-table.ts';
import { unitsAt } from '../text.ts';
import { byteTokens } from './byte-fallback.ts';
import { mergeAll } from './merge.ts';
import type { Model, Tokens } from './model.ts';
import { readVocab } from './vocab.ts';

export interface BpeOptions {
  vocab: ReadonlyMap<string, number>;
  merges: Merges;
  /** Stands for characters outside the vocabulary; without it they are left out. */
  unknown?: string | undefined;
  /** One unknown token for a run of unknown characters. */
  fuseUnknown?: boolean;
  byteFallback?: boolean;
  /** A word that is a token needs no merges. */
  ignoreMerges?: boolean;
  /** Marks every character but the first. */
  prefix?: string;
  /** Marks the last character. */
  suffix?: string;
}

/** The merges, best first: the rank of a pair of ids, and the id that each rank makes. */
export class Merges {
  readonly #ranks = new PairTable();
  readonly #made: number[] = [];

  add(left: number, right: number, made: number): void {
    this.#ranks.set(left, right, this.#made.push(made) - 1);
  }

  /** -1 for a pair that never merges. */
  rank(left: number, right: number): number {
    return this.#ranks.get(left, right);
  }

  made(rank: number): number {
    return this.#made[rank]!;
  }
}

export class Bpe implements Model {
  readonly vocab: ReadonlyMap<string, number>;
  readonly #options: BpeOptions;

  constructor(options: BpeOptions) {
    this.vocab = options.vocab;
    this.#options = options;
  }

  encode(word: string): Tokens {
    if (this.#options.ignoreMerges) {
      const id = this.vocab.get(word);
      if (id !== undefined) return { ids: [id], spans: [0, word.length] };
    }
    return this.#merge(this.#symbols(word));
  }

  /** Characters, or what stands for them. */
  #symbols(word: string): Tokens {
    const { vocab } = this;
    const { prefix = '', suffix = '', unknown, fuseUnknown, byteFallback } = this.#options;
    const ids: number[] = [];
    const spans: number[] = [];
    let pending = -1; // where a run of unknown characters began
    let pendingEnd = 0;
    const flush = (): void => {
      if (pending >= 0) {
        ids.push(this.#unknownId());
        spans.push(pending, pendingEnd);
      }
      pending = -1;
    };
    for (let start = 0, end = 0; start < word.length; start = end) {
      end = start + unitsAt(word, start);
      let symbol = word.slice(start, end);
      if (start > 0) symbol = prefix + symbol;
      if (end === word.length) symbol += suffix;
      const id = vocab.get(symbol);
      if (id !== undefined) {
        flush();
        ids.push(id);
        spans.push(start, end);
        continue;
      }
      const bytes = byteFallback && byteTokens(symbol, vocab);
      if (bytes) {
        for (const byte of bytes) {
          ids.push(byte);
          spans.push(start, end);
        }
      } else if (unknown !== undefined) {
        if (!fuseUnknown) flush();
        if (pending < 0) pending = start;
        pendingEnd = end;
      }
    }
    flush();
    return { ids, spans };
  }

  #unknownId(): number {
    const { unknown } = this.#options;
    const id = this.vocab.get(unknown!);
    if (id === undefined)
      throw new TokenizerError(`bpe: the text needs the unk_token ${show(unknown)}, which is not in vocab`);
    return id;
  }

  #merge({ ids, spans }: Tokens): Tokens {
    const { merges } = this.#options;
    const merged: Tokens = { ids: [], spans: [] };
    mergeAll(
      ids.length,
      {
        rank: (left, right) => merges.rank(ids[left]!, ids[right]!),
        merge: (left, right, rank) => {
          ids[left] = merges.made(rank);
          spans[2 * left + 1] = spans[2 * right + 1]!;
        },
      },
      (i) => {
        merged.ids.push(ids[i]!);
        merged.spans.push(spans[2 * i]!, spans[2 * i + 1]!);
      },
    );
    return merged;
  }
}

export function bpe(json: Json): Bpe {
  const dropout = json.at('dropout');
  if (!dropout.missing && dropout.value !== 0) {
    dropout.fail(
      `is ${show(dropout.value)}: tokens would be left to chance, which is for training only; set it to null`,
    );
  }
  const vocab = readVocab(json.at('vocab'));
  const prefix = json.at('continuing_subword_prefix').string('');
  return new Bpe({
    vocab,
    merges: readMerges(json.at('merges'), vocab, prefix),
    unknown: json.at('unk_token').missing ? undefined : json.at('unk_token').string(),
    fuseUnknown: json.at('fuse_unk').boolean(false),
    byteFallback: json.at('byte_fallback').boolean(false),
    ignoreMerges: json.at('ignore_merges').boolean(false),
    prefix,
    suffix: json.at('end_of_word_suffix').string(''),
  });
}

/** Merges are pairs of tokens or, in older files, two tokens with a space between. */
function readMerges(json: Json, vocab: ReadonlyMap<string, number>, prefix: string): Merges {
  const merges = new Merges();
  for (const [i, merge] of json.array().entries()) {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string' || typeof pair[1] !== 'string') {
      json.fail(`is ${show(merge)}; a merge is two tokens, like ["t", "he"] or "t he"`, `[${i}]`);
    }
    const [left, right] = pair as [string, string];
    const id = (token: string): number =>
      vocab.get(token) ??
      json.fail(`names the token ${show(token)}, which is not in vocab; both parts and their union must be`, `[${i}]`);
    merges.add(id(left), id(right), id(left + right.slice(prefix.length)));
  }
  return merges;
}
