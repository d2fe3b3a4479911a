// Rules about what is already there: penalties for repeated tokens, and bans on repeated runs of tokens.
import { remove, type Processor } from './processor.ts';

/**
 * Tokens that are in the sequence get worse. `ignore[p]` leading ids of the rows of prompt p, its padding, do not count.
 * Keskar et al. 2019, https://arxiv.org/abs/1909.05858
 */
export function repetitionPenalty(penalty: number, ignore?: readonly number[]): Processor {
  const seen = new Set<number>();
  return {
    name: 'repetitionPenalty',
    apply(scores, { ids, prompt }) {
      seen.clear();
      for (let i = ignore?.[prompt] ?? 0; i < ids.length; i++) seen.add(ids[i]!);
      scale(scores, seen, penalty);
    },
  };
}

/** Tokens of the source get better: the same rule with the inverse penalty. Padding of the source counts. */
export function encoderRepetitionPenalty(penalty: number, sources: readonly ArrayLike<number>[]): Processor {
  const sets = sources.map((ids) => new Set(Array.from(ids)));
  return {
    name: 'encoderRepetitionPenalty',
    apply: (scores, { prompt }) => scale(scores, sets[prompt]!, 1 / penalty),
  };
}

function scale(scores: Float64Array, tokens: ReadonlySet<number>, penalty: number): void {
  for (const token of tokens) {
    if (token >= scores.length) continue;
    const score = scores[token]!;
    scores[token] = score < 0 ? score * penalty : score / penalty;
  }
}

/** No run of `size` tokens comes twice. Padding counts as tokens. */
export function noRepeatNgram(size: number): Processor {
  return {
    name: 'noRepeatNgramSize',
    apply: (scores, { ids }) => remove(scores, continuations(ids, ids, size)),
  };
}

/** No run of `size` tokens of the source comes in the sequence. */
export function encoderNoRepeatNgram(size: number, sources: readonly ArrayLike<number>[]): Processor {
  return {
    name: 'encoderNoRepeatNgramSize',
    apply: (scores, { ids, prompt }) => remove(scores, continuations(sources[prompt]!, ids, size)),
  };
}

/** The tokens that in `text` follow the last `size - 1` tokens of `ids`. */
function continuations(text: ArrayLike<number>, ids: ArrayLike<number>, size: number): number[] {
  const found: number[] = [];
  const from = ids.length - (size - 1);
  if (from < 0) return found;
  for (let start = 0; start + size <= text.length; start++) {
    let i = 0;
    while (i < size - 1 && text[start + i] === ids[from + i]) i++;
    if (i === size - 1) found.push(text[start + i]!);
  }
  return found;
}
