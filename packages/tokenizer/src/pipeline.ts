// The way of a text to its tokens, in the order of Hugging Face's `tokenizers`: added tokens are cut out, the rest is
// normalized, pre-tokenized, and given to the model word by word. Where only ids are wanted, those of the stretches between
// two of the first cuts are remembered.
import { Matcher, type AddedToken } from './added-tokens.ts';
import type { Model, Tokens } from './models/model.ts';
import type { Stage } from './pre-tokenizers/stage.ts';
import { Text, type Edit } from './text.ts';

export interface PipelineParts {
  normalizer: readonly Edit[];
  preTokenizer: readonly Stage[];
  model: Model;
  addedTokens: readonly AddedToken[];
}

/** Gets what a text is made of, from left to right. */
export interface Visitor {
  added(token: AddedToken, text: Text): void;
  word(text: Text, tokens: Tokens): void;
  /** All ids of a stretch. Who takes these gets no places. */
  ids?(ids: readonly number[]): void;
}

/** Longer texts are not worth remembering, and no more than so many are. */
const REMEMBERED_LENGTH = 64;
const REMEMBERED = 16_384;
/** So many characters show where a normalized text begins. */
const LOOK_AHEAD = 256;

export class Pipeline {
  /** What each added token is in a text, special ones first: its content, normalized if the text is. */
  readonly added: readonly { token: AddedToken; text: string }[];
  readonly #parts: PipelineParts;
  readonly #raw = new Matcher();
  readonly #normalized = new Matcher();
  /** Whether even ids depend on where the normalized text begins in the original. */
  readonly #usesStart: boolean;
  /** The first stage that cuts, if no later one depends on where a stretch begins; else -1. */
  readonly #firstCut: number;
  readonly #tokens: (word: string) => Tokens;
  readonly #ids = remembering((stretch) => {
    const ids: number[] = [];
    const word = (_: Text, tokens: Tokens): void => append(ids, tokens.ids);
    this.#words(Text.of(stretch, false), this.#firstCut + 1, { added() {}, word });
    return ids;
  });

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    const { addedTokens, normalizer, preTokenizer, model } = parts;
    const usesFirst = (stage: Stage): boolean => 'edit' in stage && stage.edit.usesFirst === true;
    const cut = preTokenizer.findIndex((stage) => 'cut' in stage);
    this.#firstCut = preTokenizer.slice(cut).some(usesFirst) ? -1 : cut;
    this.#usesStart = normalizer.length > 0 && preTokenizer.some(usesFirst);
    this.#tokens = remembering((word) => model.encode(word));
    this.added = addedTokens
      .toSorted((a, b) => Number(b.special) - Number(a.special))
      .map((token) => ({
        token,
        text: token.normalized ? this.#normalize(Text.of(token.content, false)).text : token.content,
      }));
    for (const { token, text } of this.added) {
      if (!token.hidden) (token.normalized ? this.#normalized : this.#raw).add(token, text);
    }
  }

  /** Goes through a text from left to right and reports its added tokens and its words. */
  visit(source: string, visitor: Visitor): void {
    const aligned = !visitor.ids;
    const whole = Text.of(source, aligned);
    this.#raw.cut(source, (start, end, token) => {
      const text = whole.slice(start, end);
      if (token) return visitor.added(token, text);
      let normal = this.#normalize(text);
      if (this.#usesStart && !aligned && start === 0) normal = normal.movedTo(this.#start(text));
      this.#normalized.cut(normal.text, (start, end, token) => {
        const text = normal.slice(start, end);
        if (token) visitor.added(token, text);
        else this.#words(text, 0, visitor);
      });
    });
  }

  /** Where the normalized text begins in the original: the first characters show it, unless none of them is left. */
  #start(text: Text): number {
    for (const length of [LOOK_AHEAD, text.text.length]) {
      const lead = this.#normalize(Text.of(text.text.slice(0, length), true));
      if (lead.text) return lead.place(0, 1)[0];
    }
    return 0;
  }

  #normalize(text: Text): Text {
    return this.#parts.normalizer.reduce((text, edit) => text.edit(edit), text);
  }

  #words(text: Text, stage: number, visitor: Visitor): void {
    const { preTokenizer } = this.#parts;
    let piece = text;
    for (let i = stage; i < preTokenizer.length; i++) {
      const stage = preTokenizer[i]!;
      if ('edit' in stage) {
        piece = piece.edit(stage.edit);
        continue;
      }
      const cuts = stage.cut(piece.text);
      for (let cut = 0; cut < cuts.length; cut += 2) {
        const [start, end] = [cuts[cut]!, cuts[cut + 1]!];
        if (visitor.ids && i === this.#firstCut) visitor.ids(this.#ids(piece.text.slice(start, end)));
        else this.#words(piece.slice(start, end), i + 1, visitor);
      }
      return;
    }
    if (piece.text) visitor.word(piece, this.#tokens(piece.text));
  }
}

function remembering<T extends object>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (text.length > REMEMBERED_LENGTH) return make(text);
    let result = known.get(text);
    if (!result) {
      result = make(text);
      if (known.size >= REMEMBERED) known.clear();
      known.set(text, result);
    }
    return result;
  };
}

/** However many there are, which a call with all of them as arguments would not take. */
export function append(ids: number[], more: readonly number[]): void {
  for (const id of more) ids.push(id);
}
