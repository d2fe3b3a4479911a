// What encode returns. Ids are there at once; tokens, offsets and words are worked out when somebody looks at them.

export interface Details {
  readonly tokens: readonly string[];
  readonly offsets: readonly Offsets[];
  /** Which piece of the pre-tokenized text a token belongs to; null for special tokens and padding. */
  readonly words: readonly (number | null)[];
}

/** First and past-the-end position in the text that was encoded. */
export type Offsets = [start: number, end: number];

/** A stretch of tokens that came from one place: the text, its pair, one special token, padding. */
export interface Part {
  readonly ids: readonly number[];
  readonly typeId: number;
  readonly kind: 'text' | 'special' | 'padding';
  details(): Details;
}

export class Encoding {
  readonly ids: readonly number[];
  readonly #parts: readonly Part[];
  #details: Details | undefined;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.ids = parts.length === 1 ? parts[0]!.ids : parts.flatMap(({ ids }) => ids);
  }

  get length(): number {
    return this.ids.length;
  }

  /** The text of every token as it stands in the vocabulary, or in the text where that is unknown to it. */
  get tokens(): readonly string[] {
    return this.#detailed().tokens;
  }

  /** Where every token stands in its text, in UTF-16 units (or code points, when asked for); [0, 0] for special tokens. */
  get offsets(): readonly Offsets[] {
    return this.#detailed().offsets;
  }

  get words(): readonly (number | null)[] {
    return this.#detailed().words;
  }

  get typeIds(): number[] {
    return this.#each(({ typeId }) => typeId);
  }

  /** 0 for padding, else 1. */
  get attentionMask(): number[] {
    return this.#each(({ kind }) => (kind === 'padding' ? 0 : 1));
  }

  /** 1 for special tokens that the post-processor added and for padding, else 0. */
  get specialTokensMask(): number[] {
    return this.#each(({ kind }) => (kind === 'text' ? 0 : 1));
  }

  #each(value: (part: Part) => number): number[] {
    return this.#parts.flatMap((part) => Array<number>(part.ids.length).fill(value(part)));
  }

  #detailed(): Details {
    if (!this.#details) {
      const parts = this.#parts.map((part) => part.details());
      this.#details = {
        tokens: parts.flatMap(({ tokens }) => tokens),
        offsets: parts.flatMap(({ offsets }) => offsets),
        words: parts.flatMap(({ words }) => words),
      };
    }
    return this.#details;
  }
}

/** A token that comes from no text. */
export function added(
  kind: 'special' | 'padding',
  typeId: number,
  ids: readonly number[],
  tokens: readonly string[],
): Part {
  const details = { tokens, offsets: ids.map((): Offsets => [0, 0]), words: ids.map(() => null) };
  return { ids, typeId, kind, details: () => details };
}
