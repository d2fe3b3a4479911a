// A logits processor changes the scores of the next token of one sequence. Meaning and order are those of transformers.

/** The sequence whose next token is chosen. */
export interface Row {
  /** Prompt (with its padding) and generated tokens. */
  readonly ids: ArrayLike<number>;
  /** Which prompt of the batch it belongs to. */
  readonly prompt: number;
}

/** Tokens that do not come while a sequence has at least `from` tokens and fewer than `below`. */
export interface Ban {
  readonly tokens: readonly number[];
  readonly from: number;
  readonly below: number;
}

export interface Processor {
  /** Name of the option it comes from. */
  readonly name: string;
  /** Change `scores`, one for each token of the vocabulary, in place. Removed tokens get -Infinity. */
  apply(scores: Float64Array, row: Row): void;
  /** All that it does is this. */
  readonly bans?: Ban;
  /** All that it does is to leave only these tokens, with equal scores, when a sequence has `length` tokens. */
  readonly forces?: (length: number) => readonly number[] | undefined;
  /** It never changes which token is best. */
  readonly keepsBest?: true;
}

/** Ids beyond the vocabulary cannot be generated; options and prompts may still name them. */
export function remove(scores: Float64Array, tokens: readonly number[]): void {
  for (const token of tokens) if (token < scores.length) scores[token] = -Infinity;
}

/** Is a ban in force when a sequence has `length` tokens? */
export const holds = ({ from, below }: Ban, length: number): boolean => from <= length && length < below;

/** A processor that does nothing but ban tokens, by default always. */
export function banning(name: string, tokens: readonly number[], { from = 0, below = Infinity } = {}): Processor {
  const bans = { tokens, from, below };
  return { name, bans, apply: (scores, { ids }) => holds(bans, ids.length) && remove(scores, tokens) };
}
