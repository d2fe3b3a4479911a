// A decoder takes the texts of tokens one by one and gives text back as soon as it is certain, so that decoding a whole
// list and decoding a stream are the same thing. Steps follow each other; what one emits the next one gets.

/** Takes one token's text. `more` says that it goes on with the token before instead of beginning one. */
export type Emit = (text: string, more: boolean) => void;

export interface Step {
  readonly push: Emit;
  /** No more tokens: gives out what was held back. */
  readonly end: () => void;
}

/** Makes a step with fresh state that hands its results to `emit`. */
export type Decoder = (emit: Emit) => Step;

export function sequence(decoders: readonly Decoder[]): Decoder {
  return (emit) => {
    const steps: Step[] = [];
    let next = emit;
    for (const decoder of decoders.toReversed()) {
      const step = decoder(next);
      steps.unshift(step);
      next = step.push;
    }
    return {
      push: next,
      end: () => steps.forEach((step) => step.end()),
    };
  };
}
