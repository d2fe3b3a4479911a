// Rules about the length: when a sequence may end, must end, or should end soon; and what it must begin with.
import { banning, type Processor } from './processor.ts';

/** No end before the sequence has `min` tokens. */
export const minLength = (name: string, min: number, eos: readonly number[]): Processor =>
  banning(name, eos, { below: min });

/** Only these tokens, with score 0, when the sequence has `length` tokens. */
export function forced(name: string, tokens: readonly number[], length: number): Processor {
  const forces = (at: number): readonly number[] | undefined => (at === length ? tokens : undefined);
  return {
    name,
    forces,
    apply(scores, { ids }) {
      if (ids.length !== length) return;
      scores.fill(-Infinity);
      for (const token of tokens) if (token < scores.length) scores[token] = 0;
    },
  };
}

/** From length `start` on, the end becomes likelier with every token: score + |score|·(factor^(length - start) - 1). */
export function exponentialDecay(start: number, factor: number, eos: readonly number[]): Processor {
  return {
    name: 'exponentialDecayLengthPenalty',
    apply(scores, { ids }) {
      if (ids.length <= start) return;
      const grown = factor ** (ids.length - start) - 1;
      for (const token of new Set(eos))
        if (token < scores.length && Number.isFinite(scores[token])) scores[token]! += Math.abs(scores[token]!) * grown;
    },
  };
}
