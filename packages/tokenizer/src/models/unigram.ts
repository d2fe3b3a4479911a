// Unigram (Kudo 2018, "Subword Regularization"): every piece has a log-probability, and the best sum wins. One pass from
// left to right over the trie of pieces, as SentencePiece's EncodeOptimized and `tokenizers` do it, ties included: the
// piece that starts first keeps its place unless a later one is strictly better. Runs of unknown characters are one token.
import { show, type Json } from '../json.ts';
import { TokenizerError } from '../errors.ts';
import { unitsAt } from '../text.ts';
import { Trie } from '../trie.ts';
import { byteTokens } from './byte-fallback.ts';
import type { Model, Tokens } from './model.ts';

/** How much worse an unknown character is than the worst piece. */
const UNKNOWN_PENALTY = 10;

export interface UnigramOptions {
  /** Those without a score are tokens, but never found in text. */
  pieces: readonly (readonly [piece: string, score: number | undefined])[];
  unknown: number | undefined;
  byteFallback: boolean;
  /** The score of the worst piece, if not the least of all. */
  leastScore?: number;
  /** Where `tokenizers` differs from SentencePiece: sums keep 64 bits, and a run of unknown characters may be a token. */
  asTokenizers: boolean;
}

export class Unigram implements Model {
  readonly vocab = new Map<string, number>();
  readonly #trie = new Trie();
  readonly #scores: Float64Array;
  readonly #unknown: number;
  readonly #unknownScore: number;
  readonly #byteFallback: boolean;
  readonly #asTokenizers: boolean;
  // The best path to every unit of the word at hand: its score, and the start and id of its last piece.
  #best: Float64Array | Float32Array;
  #starts = new Int32Array(256);
  #ids = new Int32Array(256);

  constructor({ pieces, unknown = -1, byteFallback, leastScore, asTokenizers }: UnigramOptions) {
    this.#scores = Float64Array.from(pieces, ([, score = 0]) => score);
    this.#unknown = unknown;
    this.#byteFallback = byteFallback;
    this.#best = asTokenizers ? new Float64Array(256) : new Float32Array(256);
    this.#asTokenizers = asTokenizers;
    let least = Infinity;
    for (const [id, [piece, score]] of pieces.entries()) {
      this.vocab.set(piece, id);
      if (score === undefined) continue;
      if (piece) this.#trie.add(piece, id);
      least = Math.min(least, score);
    }
    this.#unknownScore = (leastScore ?? least) - UNKNOWN_PENALTY;
  }

  encode(word: string): Tokens {
    this.#search(word);
    const reversed: number[] = []; // start, end, id of every token from the last to the first
    for (let end = word.length; end > 0;) {
      const start = this.#starts[end]!;
      const id = this.#ids[end]!;
      if (id === this.#unknown && reversed.at(-1) === id) reversed[reversed.length - 3] = start;
      else reversed.push(start, end, id);
      end = start;
    }
    const tokens = { ids: [] as number[], spans: [] as number[], texts: new Map<number, string>() };
    for (let i = reversed.length - 3; i >= 0; i -= 3) {
      const [start, end, id] = [reversed[i]!, reversed[i + 1]!, reversed[i + 2]!];
      if (id !== this.#unknown) {
        tokens.ids.push(id);
        tokens.spans.push(start, end);
      } else {
        this.#addUnknown(word.slice(start, end), start, end, tokens);
      }
    }
    return tokens;
  }

  #search(word: string): void {
    const { length } = word;
    this.#reserve(length + 1);
    const best = this.#best;
    const starts = this.#starts;
    const ids = this.#ids;
    const scores = this.#scores;
    const trie = this.#trie;
    best[0] = 0;
    starts.fill(-1, 0, length + 1);
    for (let start = 0, next = 0; start < length; start = next) {
      next = start + unitsAt(word, start);
      const here = best[start]!;
      let single = false;
      for (let end = start, node = 0; end < length;) {
        node = trie.step(node, word.charCodeAt(end++));
        if (node < 0) break;
        const id = trie.idAt(node);
        if (id < 0) continue;
        const score = scores[id]! + here;
        if (starts[end]! < 0 || score > best[end]!) {
          best[end] = score;
          starts[end] = start;
          ids[end] = id;
        }
        if (end === next) single = true;
      }
      if (single) continue;
      const score = this.#unknownScore + here;
      if (starts[next]! < 0 || score > best[next]!) {
        if (this.#unknown < 0) {
          const character = show(word.slice(start, next));
          throw new TokenizerError(`unigram: no piece for the character ${character}, and the model has no unk_id`);
        }
        best[next] = score;
        starts[next] = start;
        ids[next] = this.#unknown;
      }
    }
  }

  #addUnknown(text: string, start: number, end: number, tokens: Required<Tokens>): void {
    const known = this.#asTokenizers ? this.vocab.get(text) : undefined;
    const bytes = known === undefined && this.#byteFallback && byteTokens(text, this.vocab);
    if (bytes) {
      for (const id of bytes) {
        tokens.ids.push(id);
        tokens.spans.push(start, end);
      }
      return;
    }
    tokens.texts.set(tokens.ids.length, text);
    tokens.ids.push(known ?? this.#unknown);
    tokens.spans.push(start, end);
  }

  #reserve(size: number): void {
    if (this.#best.length >= size) return;
    this.#best = this.#asTokenizers ? new Float64Array(2 * size) : new Float32Array(2 * size);
    this.#starts = new Int32Array(2 * size);
    this.#ids = new Int32Array(2 * size);
  }
}

export function unigram(json: Json): Unigram {
  const vocab = json.at('vocab');
  const pieces = vocab.array();
  for (const [i, entry] of pieces.entries()) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !Number.isFinite(entry[1])) {
      vocab.fail(`is ${show(entry)}; it must be a piece and its score, like ["▁the", -3.2]`, `[${i}]`);
    }
  }
  const unknown = json.at('unk_id');
  if (!unknown.missing && unknown.count() >= pieces.length) {
    unknown.fail(`is ${unknown.count()}, but vocab has ${pieces.length} pieces`);
  }
  return new Unigram({
    pieces: pieces as [string, number][],
    unknown: unknown.missing ? undefined : unknown.count(),
    byteFallback: json.at('byte_fallback').boolean(false),
    asTokenizers: true,
  });
}
