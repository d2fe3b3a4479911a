// A decoder takes the texts of tokens one by one and gives text back as soon as it is certain, so that decoding a whole
// list and decoding a stream are the same thing. Steps follow each other; what one emits the next one gets.

/** Takes a piece of text. `more` says that it goes on with the token before instead of beginning one. */
export type Emit = (text: string, more: boolean) => void;

export interface Step {
  readonly push: Emit;
  /** No more tokens: gives out what was held back. */
  readonly end: () => void;
}

export interface Decoder {
  /** Makes a step with fresh state that hands its results to `emit`. */
  start(emit: Emit): Step;
  /** Makes one token of all, piece by piece. */
  readonly fuses?: boolean;
  /** Takes tokens in pieces; others get a fused token whole. */
  readonly takesPieces?: boolean;
}

/** A decoder that turns the text of each token into another. */
export function eachToken(map: (text: string, index: number) => string): Decoder {
  return {
    start: (emit) => {
      let index = 0;
      return { push: (text) => emit(map(text, index++), false), end() {} };
    },
  };
}

/** The decoders one after the other; a step that needs whole tokens gets them gathered. */
export function sequence(decoders: readonly Decoder[]): Decoder {
  let fused = false;
  const all = decoders.flatMap((decoder) => {
    const needsWhole = fused && !decoder.takesPieces;
    fused = (fused && !needsWhole) || decoder.fuses === true;
    return needsWhole ? [gather, decoder] : [decoder];
  });
  return {
    start: (emit) => {
      const steps: Step[] = [];
      let next = emit;
      for (const decoder of all.toReversed()) {
        const step = decoder.start(next);
        steps.unshift(step);
        next = step.push;
      }
      return {
        push: next,
        end: () => {
          for (const step of steps) step.end();
        },
      };
    },
  };
}

/** Holds the pieces of a token until the next one begins. */
const gather: Decoder = {
  start: (emit) => {
    let held: string | undefined;
    const release = (): void => {
      if (held !== undefined) emit(held, false);
      held = undefined;
    };
    return {
      push: (text, more) => {
        if (!more) release();
        held = (held ?? '') + text;
      },
      end: release,
    };
  },
  takesPieces: true,
};
