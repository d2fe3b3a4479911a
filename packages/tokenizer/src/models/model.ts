// What every model does: cut one word of normalized text into tokens.

export interface Tokens {
  /** Token ids in order. */
  readonly ids: number[];
  /** Two numbers a token: its first and past-the-end UTF-16 unit in the word. */
  readonly spans: number[];
  /** The texts of tokens that stand for text outside the vocabulary, by position. */
  readonly texts?: Map<number, string>;
}

export interface Model {
  readonly vocab: ReadonlyMap<string, number>;
  encode(word: string): Tokens;
}
