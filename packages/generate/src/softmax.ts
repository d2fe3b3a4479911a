// Softmax and its logarithm over one row, in double precision.

export function largest(scores: Float64Array): number {
  let max = -Infinity;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > max) max = scores[i]!;
  return max;
}

/** log Σ exp(scores). -Infinity where every score is; NaN where one is NaN or +Infinity. */
export function logSumExp(scores: Float64Array): number {
  const shift = Math.max(largest(scores), -Number.MAX_VALUE);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - shift);
  return sum === 0 ? -Infinity : shift + Math.log(sum);
}

/** Scores become log-probabilities, in place. A row without any finite score stays as it is. */
export function logSoftmax(scores: Float64Array): void {
  const norm = logSumExp(scores);
  if (norm === -Infinity) return;
  for (let i = 0; i < scores.length; i++) scores[i]! -= norm;
}

/** Probabilities of scores, into memory of the same length. */
export function softmax(scores: Float64Array, out: Float64Array): Float64Array {
  const max = largest(scores);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += out[i] = Math.exp(scores[i]! - max);
  for (let i = 0; i < scores.length; i++) out[i]! /= sum;
  return out;
}
