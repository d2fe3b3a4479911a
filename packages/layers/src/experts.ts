// A mixture of experts (Shazeer et al., arXiv:1701.06538; Jiang et al., arXiv:2401.04088): a router scores the experts for each
// token, the best few work on it, and their results are weighted. All of it stays on the device: the best are found by rank.
import {
  activation,
  add,
  broadcastTo,
  cast,
  div,
  expandDims,
  expr,
  gather,
  less,
  matmul,
  mul,
  pointwise,
  reshape,
  slice,
  softmax,
  sum,
  transpose,
} from '@transept/tensor';
import type { Activation, Tensor } from '@transept/tensor';
import { linear } from './linear.ts';
import type { Linear } from './linear.ts';
import type { Weights } from './weights.ts';

export interface Experts {
  /** [E, C] */
  readonly router: Linear;
  /** How many experts work on a token. */
  readonly chosen: number;
  /** Do the weights of those add up to 1? */
  readonly renormalize: boolean;
  /** Gates and inputs of the gated feed-forward layers: [E, 2·F, C]. */
  readonly gateUp: Tensor;
  /** [E, C, F] */
  readonly down: Tensor;
  readonly activation: Activation;
  /** Receives what the router says of each token: [N, E]. */
  readonly onRouted?: ((logits: Tensor) => void) | undefined;
  /** Most elements that a value on the way may have; with more, the experts take turns. Default: 2^24. */
  readonly room?: number;
}

/** The weights of E experts that are stored one by one, each with a gate, an input and an output map of these names. */
export function expertWeights(
  w: Weights,
  {
    count,
    width,
    hidden,
    gate,
    up,
    down,
  }: { count: number; width: number; hidden: number; gate: string; up: string; down: string },
): Pick<Experts, 'gateUp' | 'down'> {
  const each = Array.from({ length: count }, (_, e) => e);
  const gates = each.flatMap((e) => [`${e}.${gate}.weight`, `${e}.${up}.weight`]);
  const downs = each.map((e) => `${e}.${down}.weight`);
  const all = (names: readonly string[], rows: number, columns: number, as: string): Tensor =>
    w.merged(
      names,
      names.map(() => [rows, columns]),
      { as },
    );
  return {
    gateUp: reshape(all(gates, hidden, width, `{all}.{${gate},${up}}.weight`), [count, 2 * hidden, width]),
    down: reshape(all(downs, width, hidden, `{all}.${down}.weight`), [count, width, hidden]),
  };
}

/** x [B, T, C] → [B, T, C]. */
export function mixtureOfExperts(x: Tensor, layer: Experts): Tensor {
  const { gateUp, chosen } = layer;
  const experts = gateUp.shape[0]!;
  const [rows, length, width] = x.shape as readonly [number, number, number];
  const tokens = reshape(x, [rows * length, width]); // [N, C]
  const logits = linear(tokens, layer.router); // [N, E]
  layer.onRouted?.(logits);
  const [scores, rank] = [softmax(logits), ranks(logits, layer)];
  // Fetching weights reads and writes them once more than computing with all of them does.
  const mixed =
    3 * rows * length * chosen < experts ? sparse(tokens, scores, rank, layer) : dense(tokens, scores, rank, layer);
  return reshape(mixed, [rows, length, width]);
}

/** How many experts are better, of equal ones those before: [N, E] → i32 [N, E]. */
function ranks(scores: Tensor, layer: Pick<Experts, 'room'> = {}): Tensor {
  const { apply, constant, index, input } = expr;
  const [mine, other] = [input(0), input(1)];
  const parts = turns(scores.shape[1]!, scores.shape[0]! * scores.shape[1]!, layer).map(([from, to]) => {
    const number = apply('add', index(2), constant(from, 'i32'));
    const before = apply('and', apply('equal', other, mine), apply('less', number, index(1)));
    const others = expandDims(slice(scores, 1, from, to), 1);
    const better = pointwise(apply('or', apply('less', mine, other), before), [expandDims(scores, 2), others]);
    return sum(better, { keepDims: false });
  });
  return parts.reduce((a, b) => add(a, b));
}

/**
 * How unevenly routers share tokens out among experts (Fedus et al., arXiv:2101.03961 §2.2), from the logits [N, E] of all layers and
 * the mask i32 [N] of the tokens that count: E · Σ over experts of their share of the tokens times their mean probability.
 */
export function routerImbalance(
  layers: readonly Tensor[],
  { chosen, mask }: { readonly chosen: number; readonly mask?: Tensor | undefined },
): Tensor {
  const [tokens, experts] = layers[0]!.shape as readonly [number, number];
  const counts = mask && expandDims(cast(mask, 'f32'), 1); // [N, 1]
  const overTokens = (x: Tensor): Tensor => sum(counts ? mul(x, counts) : x, { axes: [0], keepDims: false });
  const overAll = (of: (logits: Tensor) => Tensor): Tensor =>
    layers.map((logits) => overTokens(of(logits))).reduce((a, b) => add(a, b));
  const times = overAll((logits) => cast(less(ranks(logits), chosen), 'f32')); // [E]
  const probability = overAll(softmax); // [E]
  const total = mul(sum(mul(times, probability), { keepDims: false }), experts / layers.length ** 2);
  if (!mask) return div(total, tokens ** 2);
  const counted = cast(sum(mask, { keepDims: false }), 'f32');
  return div(total, mul(counted, counted));
}

/** Every expert works on every token, most of it for nothing: right for many tokens or few experts. */
function dense(tokens: Tensor, scores: Tensor, rank: Tensor, layer: Experts): Tensor {
  const { apply, constant, input } = expr;
  const [experts, twice, width] = layer.gateUp.shape as readonly [number, number, number];
  const count = tokens.shape[0]!;
  const isChosen = apply('less', input(1), constant(layer.chosen, 'i32'));
  const share = shares(pointwise(apply('select', isChosen, input(0), constant(0)), [scores, rank]), layer); // [N, E]
  const parts = turns(experts, count * twice, layer).map(([from, to]) => {
    const weight = reshape(slice(layer.gateUp, 0, from, to), [(to - from) * twice, width]);
    const both = reshape(linear(tokens, { weight }), [count, to - from, twice]);
    const weighted = mul(gated(both, layer.activation), expandDims(slice(share, 1, from, to), 2)); // [N, e, F]
    const down = transpose(slice(layer.down, 0, from, to), [0, 2, 1]); // [e, F, C]
    return sum(matmul(transpose(weighted, [1, 0, 2]), down), { axes: [0], keepDims: false });
  });
  return parts.reduce((a, b) => add(a, b));
}

/** Runs of experts that go together, where each takes `elements` on the way. */
function turns(
  experts: number,
  elements: number,
  { room = 2 ** 24 }: Pick<Experts, 'room'>,
): (readonly [from: number, to: number])[] {
  const together = Math.max(1, Math.floor(room / elements));
  const count = Math.ceil(experts / together);
  return Array.from({ length: count }, (_, i) => [i * together, Math.min((i + 1) * together, experts)]);
}

/** The weights of the chosen experts are fetched: right for a token or two of many experts. */
function sparse(tokens: Tensor, scores: Tensor, rank: Tensor, layer: Experts): Tensor {
  const { apply, constant, index, input } = expr;
  const { chosen } = layer;
  const [count, width] = tokens.shape as readonly [number, number];
  const places = [count, chosen, scores.shape[1]!];
  const [ranked, scored] = [rank, scores].map((x) => broadcastTo(expandDims(x, 1), places)) as [Tensor, Tensor];
  const isNth = apply('equal', input(0), index(1)); // axes [N, K, E]: is expert e the k-th best?
  const pick = (value: expr.Expr, none: expr.Expr): Tensor =>
    sum(pointwise(apply('select', isNth, value, none), [ranked, scored]), { keepDims: false });
  const which = reshape(pick(index(2), constant(0, 'i32')), [count * chosen]); // [N·K]
  const share = shares(pick(input(1), constant(0)), layer); // [N, K]
  const x = reshape(broadcastTo(expandDims(tokens, 1), [count, chosen, width]), [count * chosen, 1, width]);
  const both = matmul(x, transpose(gather(layer.gateUp, which), [0, 2, 1])); // [N·K, 1, 2·F]
  const out = matmul(gated(both, layer.activation), transpose(gather(layer.down, which), [0, 2, 1])); // [N·K, 1, C]
  return sum(mul(reshape(out, [count, chosen, width]), expandDims(share, 2)), { axes: [1], keepDims: false });
}

const shares = (x: Tensor, { renormalize }: Experts): Tensor => (renormalize ? div(x, sum(x)) : x);

function gated(both: Tensor, fn: Activation): Tensor {
  const hidden = both.shape.at(-1)! / 2;
  return mul(activation(fn, slice(both, -1, 0, hidden)), slice(both, -1, hidden));
}
