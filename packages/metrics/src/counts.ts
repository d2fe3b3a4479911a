// Counts of n-grams, and how many of them two texts share.

/** How often each run of n units comes. */
export function ngrams(units: readonly string[], n: number, separator: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= units.length; i++) {
    const ngram = units.slice(i, i + n).join(separator);
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/** N-grams of one text that the other has as well, each at most as often as there. */
export function shared(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [ngram, count] of a) sum += Math.min(count, b.get(ngram) ?? 0);
  return sum;
}

/** Throws unless there is one reference for each hypothesis. */
export function checkLengths(metric: string, hypotheses: readonly string[], references: readonly string[]): void {
  if (hypotheses.length !== references.length)
    throw new RangeError(
      `${metric}: ${hypotheses.length} hypotheses, ${references.length} references; expected equally many`,
    );
}
