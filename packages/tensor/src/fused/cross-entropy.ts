// Cross entropy of scores and whole-number labels, and its gradient. Row by row: what becomes of the losses, a mean or a sum, is
// for the caller to say. A label outside of the vocabulary, such as the -100 of data collators, leaves its row out.
import { DTypeError, ShapeError } from '../errors.ts';
import { apply, constant, index, input } from '../expr.ts';
import type { Expr } from '../expr.ts';
import type { Tensor } from '../graph.ts';
import { add, exp, log, mul, pointwise, sub, where } from '../ops/pointwise.ts';
import { max, mean, sum } from '../ops/reduce.ts';
import { gather } from '../ops/rows.ts';
import { broadcastTo, expandDims, reshape } from '../ops/view.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Definition } from './definition.ts';
import { softmax } from './softmax.ts';

export interface CrossEntropyOptions {
  /** This share of the label's weight is spread over all of the vocabulary (Szegedy et al., arXiv:1512.00567 §7). Default: 0. */
  readonly smoothing?: number;
}

/**
 * logits [..., V], labels [...] i32 → −log softmax(logits)[label] of each row [...], as torch.nn.functional.cross_entropy without
 * reduction; 0 where the label is outside of 0 … V−1.
 */
export function crossEntropy(logits: Tensor, labels: Tensor, { smoothing = 0 }: CrossEntropyOptions = {}): Tensor {
  check('crossEntropy', logits, labels, smoothing);
  return logits.graph.call('crossEntropy', [logits, labels], { smoothing }, labels.shape, 'f32');
}

/**
 * The gradient of `crossEntropy` by its logits [..., V], given that by its losses [...]: gradient · (softmax − target), where the
 * target is 1 − smoothing at the label plus smoothing / V everywhere; 0 in rows that are left out.
 */
export function crossEntropyGradient(
  logits: Tensor,
  labels: Tensor,
  gradient: Tensor,
  { smoothing = 0 }: CrossEntropyOptions = {},
): Tensor {
  check('crossEntropyGradient', logits, labels, smoothing);
  const each = broadcastTo(gradient, labels.shape);
  return logits.graph.call('crossEntropyGradient', [logits, labels, each], { smoothing }, logits.shape, 'f32');
}

export const defineCrossEntropy: Definition = ([logits, labels], { smoothing }) => {
  const classes = logits!.shape.at(-1)!;
  const shifted = sub(logits!, max(logits!)); // [..., V]
  const flat = reshape(labels!, [-1]);
  const place = pointwise(apply('add', apply('mul', index(0), constant(classes, 'i32')), input(0)), [flat]);
  const chosen = reshape(gather(reshape(shifted, [-1]), place), labels!.shape);
  const share = smoothing as number;
  const target = share > 0 ? add(mul(chosen, 1 - share), mul(mean(shifted, { keepDims: false }), share)) : chosen;
  const loss = sub(log(sum(exp(shifted), { keepDims: false })), target);
  return where(pointwise(within(input(0), classes), [labels!]), loss, 0);
};

export const defineCrossEntropyGradient: Definition = ([logits, labels, gradient], { smoothing }) => {
  const [rank, classes] = [logits!.shape.length, logits!.shape.at(-1)!];
  const share = smoothing as number;
  const [probability, label, factor] = [input(0), input(1), input(2)];
  const elsewhere = constant(share / classes);
  const atLabel = apply('equal', index(rank - 1), label);
  const target = apply('select', atLabel, constant(1 - share + share / classes), elsewhere);
  const slope = apply('mul', factor, apply('sub', probability, target));
  return pointwise(apply('select', within(label, classes), slope, constant(0)), [
    softmax(logits!),
    expandDims(labels!, -1),
    expandDims(gradient!, -1),
  ]);
};

const within = (label: Expr, classes: number): Expr =>
  apply('and', apply('lessEqual', constant(0, 'i32'), label), apply('less', label, constant(classes, 'i32')));

function check(op: string, logits: Tensor, labels: Tensor, smoothing: number): void {
  if (labels.dtype !== 'i32') throw new DTypeError(`${op}: labels are ${labels.dtype}; they must be i32`);
  if (!sameShape(labels.shape, logits.shape.slice(0, -1)))
    throw new ShapeError(
      `${op}: logits are ${formatShape(logits.shape)}, labels are ${formatShape(labels.shape)}; there is one label a row`,
    );
  if (!(smoothing >= 0 && smoothing <= 1))
    throw new RangeError(`${op}: smoothing is ${smoothing}; it must be from 0 to 1`);
}
