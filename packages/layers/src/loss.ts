// What training makes smaller: one number from outputs and what they should have been. All are means as PyTorch takes them, and NaN
// where there is nothing to take a mean of.
import {
  abs,
  add,
  cast,
  crossEntropy,
  div,
  exp,
  lessEqual,
  log,
  less,
  maximum,
  mul,
  neg,
  sub,
  sum,
} from '@transept/tensor';
import type { CrossEntropyOptions, Tensor } from '@transept/tensor';

const total = (x: Tensor): Tensor => sum(x, { axes: [...x.shape.keys()], keepDims: false });
const mean = (x: Tensor): Tensor =>
  div(
    total(x),
    x.shape.reduce((a, b) => a * b, 1),
  );

/** logits [..., V], labels [...] i32 → the mean cross entropy of rows whose label is one of 0 … V−1; others, such as -100, do not count. */
export function meanCrossEntropy(logits: Tensor, labels: Tensor, options?: CrossEntropyOptions): Tensor {
  const known = mul(lessEqual(0, labels), less(labels, logits.shape.at(-1)!));
  return div(total(crossEntropy(logits, labels, options)), cast(total(known), 'f32'));
}

/**
 * logits and labels [...] f32 → the mean of −label · log σ(logit) − (1 − label) · log(1 − σ(logit)), over the elements at which
 * `counts` i32 [...] is not 0.
 */
export function meanBinaryCrossEntropy(logits: Tensor, labels: Tensor, counts?: Tensor): Tensor {
  const certain = sub(maximum(logits, 0), mul(logits, labels));
  const losses = add(certain, log(add(exp(neg(abs(logits))), 1)));
  if (!counts) return mean(losses);
  const weight = cast(counts, 'f32');
  return div(total(mul(losses, weight)), total(weight));
}

/** x and target [...] → the mean of the squares of their differences. */
export function meanSquaredError(x: Tensor, target: Tensor): Tensor {
  const difference = sub(x, target);
  return mean(mul(difference, difference));
}
