// The text on its way from what the user wrote to what the model reads. When offsets are wanted, every UTF-16 unit of the
// current text carries its place [start, end) in the original; edits say which old unit lends its place to each new one.

/**
 * Writes edited text: `source` is the old unit whose place the new text takes, -1 for an empty place at the start. With `last`
 * it takes the place of all units from one to the other.
 */
export type Put = (text: string, source: number, last?: number) => void;

/** One change of the text: a normalizer, or the part of a pre-tokenizer that rewrites. */
export interface Edit {
  /** `first` says that the text starts where the original starts; `usesFirst` that this matters. */
  rewrite(text: string, put: Put, first: boolean): void;
  readonly usesFirst?: boolean;
  /** The same without places, where that is quicker. */
  plain?(text: string, first: boolean): string;
}

export class Text {
  readonly text: string;
  /** Where this stretch begins in the original; without places, only as far as nothing was edited before it. */
  readonly from: number;
  /** Two numbers a unit, or nothing when nobody asks for offsets. */
  readonly #places: Uint32Array | undefined;

  private constructor(text: string, from: number, places: Uint32Array | undefined) {
    this.text = text;
    this.from = from;
    this.#places = places;
  }

  static of(text: string, aligned: boolean): Text {
    if (!aligned) return new Text(text, 0, undefined);
    const places = new Uint32Array(2 * text.length);
    for (let i = 0; i < text.length;) {
      const length = unitsAt(text, i);
      for (const end = i + length, start = i; i < end; i++) {
        places[2 * i] = start;
        places[2 * i + 1] = end;
      }
    }
    return new Text(text, 0, places);
  }

  /** The place in the original of the units from `start` to `end`. */
  place(start: number, end: number): [number, number] {
    const places = this.#places!;
    return start < end ? [places[2 * start]!, places[2 * end - 1]!] : [this.from + start, this.from + end];
  }

  slice(start: number, end: number): Text {
    const text = this.text.slice(start, end);
    if (!this.#places) return new Text(text, this.from + start, undefined);
    return new Text(text, this.place(start, end)[0], this.#places.subarray(2 * start, 2 * end));
  }

  edit(edit: Edit): Text {
    const { text, from } = this;
    const old = this.#places;
    if (!old) return new Text(edit.plain?.(text, from === 0) ?? rewritten(edit, text, from === 0), from, undefined);
    let result = '';
    let places = new Uint32Array(2 * text.length + 16);
    let used = 0;
    edit.rewrite(
      text,
      (piece, source, last = source) => {
        result += piece;
        const start = source < 0 ? from : old[2 * source]!;
        const end = source < 0 ? from : old[2 * last + 1]!;
        if (used + 2 * piece.length > places.length) places = grown(places, used + 2 * piece.length);
        for (let i = 0; i < piece.length; i++) {
          places[used++] = start;
          places[used++] = end;
        }
      },
      from === 0,
    );
    return new Text(result, from, places.subarray(0, used));
  }

  /** The same text as if it stood elsewhere; only for texts without places. */
  movedTo(from: number): Text {
    return new Text(this.text, from, undefined);
  }
}

function grown(old: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const result = new Uint32Array(2 * size);
  result.set(old);
  return result;
}

function rewritten(edit: Edit, text: string, first: boolean): string {
  let result = '';
  edit.rewrite(text, (piece) => (result += piece), first);
  return result;
}

/** 2 where a surrogate pair begins, else 1 (also at the end). */
export function unitsAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}

/** Which code point every unit of a text belongs to, and how many there are at its end. */
export function codePointIndices(text: string): Uint32Array {
  const indices = new Uint32Array(text.length + 1);
  let count = 0;
  for (let i = 0; i < text.length;) {
    for (const end = i + unitsAt(text, i); i < end; i++) indices[i] = count;
    count++;
  }
  indices[text.length] = count;
  return indices;
}

/** A call takes only so many arguments. */
const CHUNK = 8192;

export function fromUnits(units: Uint16Array): string {
  let text = '';
  for (let i = 0; i < units.length; i += CHUNK) {
    text += String.fromCharCode.apply(null, units.subarray(i, i + CHUNK) as unknown as number[]);
  }
  return text;
}
