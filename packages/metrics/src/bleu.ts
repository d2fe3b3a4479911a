// Corpus BLEU with 13a tokens and exponential smoothing: what `sacrebleu` prints by default.
// Papineni et al. 2002, https://aclanthology.org/P02-1040; Post 2018, https://arxiv.org/abs/1804.08771
import { checkLengths, ngrams, shared } from './counts.ts';
import { tokenize13a } from './tokenize13a.ts';

const MAX_ORDER = 4;

export interface BleuScore {
  /** 0 to 100. */
  readonly score: number;
  /** Per cent of the n-grams of the hypotheses that their references have, for n = 1 … 4, smoothed. */
  readonly precisions: readonly number[];
  readonly brevityPenalty: number;
  /** Tokens in all hypotheses, and in all references. */
  readonly hypothesisLength: number;
  readonly referenceLength: number;
}

/** BLEU of translations, one reference each. */
export function corpusBleu(hypotheses: readonly string[], references: readonly string[]): BleuScore {
  checkLengths('corpusBleu', hypotheses, references);
  const correct = new Array<number>(MAX_ORDER).fill(0);
  const total = new Array<number>(MAX_ORDER).fill(0);
  let hypothesisLength = 0;
  let referenceLength = 0;
  hypotheses.forEach((line, i) => {
    const hypothesis = tokenize13a(line);
    const reference = tokenize13a(references[i]!);
    hypothesisLength += hypothesis.length;
    referenceLength += reference.length;
    for (let n = 1; n <= MAX_ORDER; n++) {
      total[n - 1]! += Math.max(0, hypothesis.length - n + 1);
      correct[n - 1]! += shared(ngrams(hypothesis, n, ' '), ngrams(reference, n, ' '));
    }
  });
  const brevityPenalty =
    hypothesisLength >= referenceLength
      ? 1
      : hypothesisLength === 0
        ? 0
        : Math.exp(1 - referenceLength / hypothesisLength);
  const precisions = new Array<number>(MAX_ORDER).fill(0);
  let score = 0;
  if (correct.some((count) => count > 0)) {
    // Orders without a match count as half, a quarter … of a match.
    let halves = 1;
    for (let n = 0; n < MAX_ORDER && total[n]! > 0; n++)
      precisions[n] = (100 * (correct[n] || 1 / (halves *= 2))) / total[n]!;
    score = brevityPenalty * Math.exp(precisions.reduce((sum, p) => sum + Math.log(p), 0) / MAX_ORDER);
  }
  return { score, precisions, brevityPenalty, hypothesisLength, referenceLength };
}
