// Sums, extremes and their positions, running sums, the largest few.
import {
  abs,
  add,
  argmax,
  broadcastTo,
  div,
  elements,
  equal,
  exp,
  expandDims,
  expr,
  less,
  log,
  max,
  min,
  mul,
  neg,
  pointwise,
  prod,
  reshape,
  sqrt,
  sub,
  sum,
} from '@transept/tensor';
import type { ReduceOptions, Tensor } from '@transept/tensor';
import type { OnnxNode, Operator } from '../node.ts';
import { along, axisOf, moveAxis, positions, take } from './axes.ts';
import { gatherElements } from './rows.ts';

const { apply, constant, index, input } = expr;

type Reduction = (x: Tensor, options: Required<ReduceOptions>) => Tensor;

/** Axes are an input since opset 13 or 18, an attribute before; none means all, or none at all with `noop_with_empty_axes`. */
const reduction =
  (reduce: Reduction): Operator =>
  (node) => {
    const x = node.tensor(0);
    const given = node.has(1) ? node.values(1) : (node.numbers('axes') ?? []);
    if (given.length === 0 && node.flag('noop_with_empty_axes')) return x;
    const axes = given.length > 0 ? given : [...x.shape.keys()];
    return reduce(x, { axes, keepDims: node.flag('keepdims', true) });
  };

const squares = (x: Tensor): Tensor => mul(x, x);

/** log Σ exp with the largest value subtracted first; over nothing, −∞. */
function logSumExp(x: Tensor, options: Required<ReduceOptions>): Tensor {
  if (elements(x.shape) === 0) return log(sum(x, options));
  const largest = max(x, { ...options, keepDims: true });
  const total = log(sum(exp(sub(x, largest)), options));
  return add(total, reshape(largest, total.shape));
}

const mean: Reduction = (x, options) => div(sum(x, options), elements(options.axes.map((a) => x.shape.at(a)!)));

/** The position of the largest element; with `select_last_index`, of the last of several. */
const position =
  (sign: (x: Tensor) => Tensor): Operator =>
  (node) => {
    const axis = axisOf(node.number('axis', 0), node.shape(0).length);
    const x = moveAxis(sign(node.tensor(0)), axis, -1);
    const size = x.shape.at(-1)!;
    const backwards = Array.from({ length: size }, (_, i) => size - 1 - i);
    const found = node.flag('select_last_index')
      ? sub(size - 1, argmax(take(x, -1, backwards, 'backwards')))
      : argmax(x);
    return node.flag('keepdims', true) ? expandDims(found, axis) : found;
  };

/** Element i is the sum of those before it, itself included or not. */
function cumulative(node: OnnxNode): Tensor {
  const [later, exclusive] = [node.flag('reverse'), node.flag('exclusive')];
  return along(node.tensor(0), node.value(1, 0), (x) => {
    const all = expandDims(x, -2);
    const square = broadcastTo(all, all.shape.with(-2, x.shape.at(-1)!)); // [..., result, element]
    const [to, from] = [index(square.shape.length - 2), index(square.shape.length - 1)];
    const [first, second] = later ? [to, from] : [from, to];
    const counts = apply(exclusive ? 'less' : 'lessEqual', first, second);
    const zero = constant(0, x.dtype === 'i32' ? 'i32' : 'f32');
    return sum(pointwise(apply('select', counts, input(0), zero), [square]), { keepDims: false });
  });
}

/** Every element's rank is how many come before it; the element of rank r is then found by comparison. */
function topK(node: OnnxNode): Tensor[] {
  const axis = node.number('axis', -1);
  const x = moveAxis(node.tensor(0), axis, -1); // [..., N]
  const [n, k] = [x.shape.at(-1)!, node.values(1)[0]!];
  const square = [...x.shape, n];
  const [other, own] = [broadcastTo(expandDims(x, -2), square), broadcastTo(expandDims(x, -1), square)];
  const better = node.flag('largest', true) ? less(own, other) : less(other, own);
  const earlier = apply('less', index(square.length - 1), index(square.length - 2));
  const comes = pointwise(apply('or', input(0), apply('and', apply('equal', input(1), input(2)), earlier)), [
    better,
    own,
    other,
  ]);
  const rank = sum(comes, { keepDims: false }); // [..., N]
  const table = [...x.shape.slice(0, -1), k, n];
  const isRank = equal(broadcastTo(expandDims(rank, -2), table), positions(x.graph, table, -2));
  const places = sum(mul(isRank, positions(x.graph, table, -1)), { keepDims: false }); // [..., K]
  return [gatherElements(x, places, -1), places].map((t) => moveAxis(t, -1, axis));
}

export const reduceOperators: Readonly<Record<string, Operator>> = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction(mean),
  ReduceMax: reduction(max),
  ReduceMin: reduction(min),
  ReduceProd: reduction(prod),
  ReduceL1: reduction((x, options) => sum(abs(x), options)),
  ReduceL2: reduction((x, options) => sqrt(sum(squares(x), options))),
  ReduceLogSum: reduction((x, options) => log(sum(x, options))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceSumSquare: reduction((x, options) => sum(squares(x), options)),
  ArgMax: position((x) => x),
  ArgMin: position(neg),
  CumSum: cumulative,
  TopK: topK,
};
