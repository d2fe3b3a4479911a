// Corpus chrF: F-score of character n-grams up to 6, white space left out, recall counted twice; sacrebleu's default.
// Popović 2015, https://aclanthology.org/W15-3049
import { checkLengths, ngrams, shared } from './counts.ts';
import { words } from './tokenize13a.ts';

const MAX_ORDER = 6;
const BETA_SQUARED = 4;

/** chrF of translations, one reference each: 0 to 100. */
export function corpusChrf(hypotheses: readonly string[], references: readonly string[]): number {
  checkLengths('corpusChrf', hypotheses, references);
  let precision = 0;
  let recall = 0;
  let orders = 0;
  const characters = (line: string): string[] => Array.from(words(line).join(''));
  const pairs = hypotheses.map((line, i) => [characters(line), characters(references[i]!)] as const);
  for (let n = 1; n <= MAX_ORDER; n++) {
    let hypothesisCount = 0;
    let referenceCount = 0;
    let matches = 0;
    for (const [hypothesis, reference] of pairs) {
      const count = Math.max(0, reference.length - n + 1);
      // A hypothesis counts only where its reference has n-grams of this length at all.
      if (count > 0) hypothesisCount += Math.max(0, hypothesis.length - n + 1);
      referenceCount += count;
      matches += shared(ngrams(hypothesis, n, ''), ngrams(reference, n, ''));
    }
    if (hypothesisCount === 0 || referenceCount === 0) continue;
    precision += matches / hypothesisCount;
    recall += matches / referenceCount;
    orders++;
  }
  if (precision + recall === 0) return 0;
  precision /= orders;
  recall /= orders;
  return (100 * (1 + BETA_SQUARED) * precision * recall) / (BETA_SQUARED * precision + recall);
}
