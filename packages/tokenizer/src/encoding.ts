// What encode returns. Ids are there at once; tokens, offsets and words are worked out when somebody looks at them.

/** First and past-the-end position in the text that was encoded. */
export type Offsets = [start: number, end: number];

export interface Details {
  readonly tokens: readonly string[];
  readonly offsets: readonly Offsets[];
  readonly words: readonly (number | null)[];
}

/** A stretch of tokens that came from one place: the text, its pair, special tokens, padding. */
export interface Part {
  readonly ids: readonly number[];
  readonly typeId: number;
  readonly kind: 'text' | 'special' | 'padding';
  /** Asked for at most once per encoding, so that it may be expensive. */
  details(): Details;
  /** What truncation cut off, in windows of the same size. */
  readonly overflow?: readonly Part[];
}

export class Encoding {
  readonly ids: readonly number[];
  readonly #parts: readonly Part[];
  readonly #overflow: () => Encoding[];
  #details: Details | undefined;
  #overflowing: Encoding[] | undefined;

  constructor(parts: readonly Part[], overflow: () => Encoding[] = () => []) {
    this.#parts = parts;
    this.#overflow = overflow;
    this.ids = parts.length === 1 ? parts[0]!.ids : parts.flatMap(({ ids }) => ids);
  }

  get length(): number {
    return this.ids.length;
  }

  /** The text of every token as it stands in the vocabulary, or in the text where that is unknown to it. */
  get tokens(): readonly string[] {
    return this.#detailed().tokens;
  }

  /** Where every token stands in its text, in UTF-16 units or code points as asked for; [0, 0] for what is in no text. */
  get offsets(): readonly Offsets[] {
    return this.#detailed().offsets;
  }

  /** Which piece of the pre-tokenized text every token belongs to; null for special tokens and padding. */
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

  /** 1 for special tokens that the post-processor put in and for padding, else 0. */
  get specialTokensMask(): number[] {
    return this.#each(({ kind }) => (kind === 'text' ? 0 : 1));
  }

  /** The rest of a truncated text, window by window, each with its special tokens. */
  get overflowing(): readonly Encoding[] {
    return (this.#overflowing ??= this.#overflow());
  }

  /** The same with padding up to a length. */
  padded(length: number, { id, typeId, token, left }: PaddingToken): Encoding {
    const overflow = (): Encoding[] => this.overflowing.map((each) => each.padded(length, { id, typeId, token, left }));
    const count = length - this.length;
    if (count <= 0) return new Encoding(this.#parts, overflow);
    const padding = constantPart('padding', typeId, Array<number>(count).fill(id), Array<string>(count).fill(token));
    return new Encoding(left ? [padding, ...this.#parts] : [...this.#parts, padding], overflow);
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

export interface PaddingToken {
  id: number;
  typeId: number;
  token: string;
  left: boolean;
}

/** Tokens that come from no text. */
export function constantPart(
  kind: 'special' | 'padding',
  typeId: number,
  ids: readonly number[],
  tokens: readonly string[],
): Part {
  const details = { tokens, offsets: ids.map((): Offsets => [0, 0]), words: ids.map(() => null) };
  return { ids, typeId, kind, details: () => details };
}

/** The same part with other details, its overflow too. */
export function withDetails(part: Part, change: (details: Details) => Details): Part {
  return {
    ...part,
    details: () => change(part.details()),
    ...(part.overflow && { overflow: part.overflow.map((each) => withDetails(each, change)) }),
  };
}

/** Joins parts into one encoding. The overflows of several parts combine each with each, in the order of `tokenizers`. */
export function join(parts: readonly Part[]): Encoding {
  const overflow = (): Encoding[] => {
    let main: Part[] = [];
    let others: Part[][] = [];
    for (const part of parts) {
      const rest = part.overflow ?? [];
      others = [
        ...others.flatMap((other) => [part, ...rest].map((each) => [...other, each])),
        ...rest.map((each) => [...main, each]),
      ];
      main = [...main, part];
    }
    return others.map((other) => new Encoding(other));
  };
  return new Encoding(parts, overflow);
}
