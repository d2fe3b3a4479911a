// Losses and optimisers.
import {
  add,
  div,
  equal,
  expandDims,
  gather,
  logSoftmax,
  mul,
  neg,
  reshape,
  sqrt,
  sub,
  sum,
  where,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { OnnxNode, Operator } from '../node.ts';
import { full, moveAxis } from './axes.ts';
import { gatherElements } from './rows.ts';

/** Log-probabilities [N, ...D, C] and targets [N, ...D] → the loss; targets of `ignore_index` do not count. */
function lossOf(node: OnnxNode, logProbabilities: Tensor, targets: Tensor): Tensor {
  const ignored = node.numberOrNone('ignore_index');
  const picked = gatherElements(logProbabilities, expandDims(targets, -1), -1); // [N, ...D, 1]
  const ones = full(node.graph, targets.shape, 1);
  const chosen = node.has(2) ? gather(node.tensor(2), targets) : ones;
  const weights = ignored === undefined ? chosen : where(equal(targets, ignored), 0, chosen);
  const losses = neg(mul(reshape(picked, targets.shape), weights));
  const total = (x: Tensor): Tensor => sum(x, { axes: [...x.shape.keys()], keepDims: false });
  const reduction = node.text('reduction', 'mean');
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? total(losses) : div(total(losses), total(weights));
}

/** Classes are axis 1. */
function crossEntropy(node: OnnxNode): (Tensor | undefined)[] {
  const logProbabilities = logSoftmax(moveAxis(node.tensor(0), 1, -1));
  const loss = lossOf(node, logProbabilities, node.as('i32', 1));
  return [loss, node.outputs[1] ? moveAxis(logProbabilities, -1, 1) : undefined];
}

/** One step for several tensors: inputs are R, T, then all X, all G, and all of each moment. Outputs are X and the moments. */
const optimiser =
  (
    moments: number,
    step: (node: OnnxNode, x: Tensor, gradient: Tensor, moments: readonly Tensor[]) => readonly Tensor[],
  ): Operator =>
  (node) => {
    const count = (node.inputs - 2) / (2 + moments);
    const results = Array.from({ length: count }, (_, i) => {
      const [x, gradient, ...rest] = Array.from({ length: 2 + moments }, (_, m) => node.tensor(2 + m * count + i)) as [
        Tensor,
        Tensor,
        ...Tensor[],
      ];
      return step(node, x, add(gradient, mul(x, node.number('norm_coefficient', 0))), rest);
    });
    return Array.from({ length: 1 + moments }, (_, m) => results.map((r) => r[m]!)).flat();
  };

/** The learning rate after `steps` steps. */
const rate = (node: OnnxNode, steps: number): number =>
  node.values(0)[0]! / (1 + steps * node.number('decay_factor', 0));

const adam = optimiser(2, (node, x, gradient, [first, second]) => {
  const [alpha, beta] = [node.number('alpha', 0.9), node.number('beta', 0.999)];
  const steps = node.values(1)[0]!;
  const mean = add(mul(first!, alpha), mul(gradient, 1 - alpha));
  const square = add(mul(second!, beta), mul(mul(gradient, gradient), 1 - beta));
  const corrected = rate(node, steps) * (steps > 0 ? Math.sqrt(1 - beta ** steps) / (1 - alpha ** steps) : 1);
  const moved = sub(x, div(mul(mean, corrected), add(sqrt(square), node.number('epsilon', 1e-6))));
  return [mul(moved, 1 - node.number('norm_coefficient_post', 0)), mean, square];
});

const momentum = optimiser(1, (node, x, gradient, [velocity]) => {
  const [alpha, steps] = [node.number('alpha', 0), node.values(1)[0]!];
  const next = add(mul(velocity!, alpha), mul(gradient, steps > 0 ? node.number('beta', 0) : 1));
  const direction = node.text('mode', 'standard') === 'nesterov' ? add(gradient, mul(next, alpha)) : next;
  return [sub(x, mul(direction, rate(node, steps))), next];
});

export const trainingOperators: Readonly<Record<string, Operator>> = {
  SoftmaxCrossEntropyLoss: crossEntropy,
  NegativeLogLikelihoodLoss: (node) => lossOf(node, moveAxis(node.tensor(0), 1, -1), node.as('i32', 1)),
  Adam: adam,
  Momentum: momentum,
};
