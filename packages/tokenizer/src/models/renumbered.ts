// Pieces of one vocabulary with the ids of another, where every piece that is missing is unknown.
import type { Model, Tokens } from './model.ts';

export class Renumbered implements Model {
  readonly vocab: ReadonlyMap<string, number>;
  readonly #model: Model;
  readonly #unknown: number;
  readonly #pieces: Map<number, string>;

  constructor(model: Model, vocab: ReadonlyMap<string, number>, unknown: number) {
    this.vocab = vocab;
    this.#model = model;
    this.#unknown = unknown;
    this.#pieces = new Map(Array.from(model.vocab, ([piece, id]) => [id, piece]));
  }

  encode(word: string): Tokens {
    const { ids, spans, texts } = this.#model.encode(word);
    const pieces = ids.map((id, i) => texts?.get(i) ?? this.#pieces.get(id)!);
    const renumbered = pieces.map((piece) => this.vocab.get(piece) ?? this.#unknown);
    const unknown = [...pieces.entries()].filter(([i]) => renumbered[i] === this.#unknown);
    return { ids: renumbered, spans, texts: new Map(unknown) };
  }
}
