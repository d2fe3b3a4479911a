// Scaled dot-product attention (Vaswani et al., arXiv:1706.03762 §3.2.1) with everything that decides which keys a query
// sees: caches longer than their contents, causality, padding masks, sliding windows; grouped heads, soft caps, biases.
import { DTypeError, ShapeError } from '../errors.ts';
import { apply, constant, index, input } from '../expr.ts';
import type { Expr } from '../expr.ts';
import type { Tensor } from '../graph.ts';
import { add, div, exp, generate, maximum, mul, pointwise, sub, tanh, where } from '../ops/pointwise.ts';
import { matmul } from '../ops/matmul.ts';
import { max, sum } from '../ops/reduce.ts';
import { broadcastTo, expandDims, reshape, select, transpose } from '../ops/view.ts';
import type { Attrs, ScalarRef } from '../plan.ts';
import { formatShape } from '../shape.ts';
import type { Definition } from './definition.ts';
import { softmax } from './softmax.ts';

export interface AttentionOptions {
  /** Factor on the scores. Default: 1 / sqrt(D). */
  readonly scale?: number;
  /** Query t sees keys up to t + start. */
  readonly causal?: boolean;
  /** How many keys come before the first query. Default: 0. */
  readonly start?: number | ScalarRef;
  /** How many of the S keys count. Default: all. */
  readonly keys?: number | ScalarRef;
  /** A query sees keys nearer than this. */
  readonly window?: number;
  /** Scores become c·tanh(score / c). */
  readonly softcap?: number;
  /** i32, broadcast to [B, H, T, S]; keys where it is 0 are not seen. */
  readonly mask?: Tensor;
  /** f32, broadcast to [B, H, T, S], added to the scores. */
  readonly bias?: Tensor;
}

/** q [B, T, H, D], k [B, S, G, D], v [B, S, G, Dv] → [B, T, H, Dv]. A query that sees no key gives zeros. */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { mask, bias } = options;
  const scores = check(q, k, v, options);
  const inputs = [q, k, v];
  if (mask) inputs.push(broadcastTo(mask, scores));
  if (bias) inputs.push(broadcastTo(bias, scores));
  return q.graph.call('attention', inputs, attentionAttrs(q, k, options), [...q.shape.slice(0, 3), v.shape[3]!], 'f32');
}

/** The weights that `attention` gives each key: [B, H, T, S]. */
export function attentionWeights(q: Tensor, k: Tensor, options: AttentionOptions = {}): Tensor {
  const shape = check(q, k, k, options);
  const mask = options.mask && broadcastTo(options.mask, shape);
  const bias = options.bias && broadcastTo(options.bias, shape);
  return weights(q, k, mask, bias, attentionAttrs(q, k, options));
}

export const defineAttention: Definition = ([q, k, v, ...rest], attrs) => {
  const mask = attrs['mask'] ? rest.shift() : undefined;
  const probabilities = weights(q!, k!, mask, rest[0], attrs); // [B, H, T, S]
  const heads = q!.shape[2]!;
  const values = transpose(perHead(hideUnseen(v!, q!, mask, attrs), heads), [0, 2, 1, 3]); // [B, H, S, Dv]
  const out = q!.graph.empty([...q!.shape.slice(0, 3), v!.shape[3]!]);
  return q!.graph.write('copy', transpose(out, [0, 2, 1, 3]), [matmul(probabilities, values)], {});
};

function weights(q: Tensor, k: Tensor, mask: Tensor | undefined, bias: Tensor | undefined, attrs: Attrs): Tensor {
  const { scale, softcap } = attrs as { scale: number; softcap?: number };
  const keys = perHead(k, q.shape[2]!);
  let scores = mul(matmul(transpose(q, [0, 2, 1, 3]), transpose(keys, [0, 2, 3, 1])), scale); // [B, H, T, S]
  if (softcap !== undefined) scores = mul(tanh(div(scores, softcap)), softcap);
  if (bias) scores = add(scores, bias);
  const seen = visible(scores, mask, attrs);
  if (!seen) return softmax(scores);
  const hidden = where(seen, scores, mostNegative);
  const e = where(seen, exp(sub(hidden, max(hidden))), 0);
  return div(e, maximum(sum(e), smallest)); // a query without keys: 0 / smallest
}
const mostNegative = -3.4e38;
const smallest = 1e-30;

/** Heads of keys or values repeated so that every query head has its own: [B, S, G, D] → [B, S, H, D]. */
function perHead(x: Tensor, heads: number): Tensor {
  const [b, s, g, d] = x.shape as readonly [number, number, number, number];
  if (g === heads) return x;
  return reshape(broadcastTo(expandDims(x, 3), [b, s, g, heads / g, d]), [b, s, heads, d]);
}

const scalarOr = (value: number | ScalarRef): Expr =>
  typeof value === 'number' ? constant(value, 'i32') : { kind: 'scalar', scalar: value.scalar };

/** i32 [B, H, T, S]: does the query see the key? Undefined where every query sees every key. */
function visible(scores: Tensor, mask: Tensor | undefined, attrs: Attrs): Tensor | undefined {
  const { causal, start, keys, window } = attrs as {
    causal: boolean;
    start: number | ScalarRef;
    keys: number | ScalarRef;
    window?: number;
  };
  const tests: Expr[] = [];
  const from = apply('add', index(2), scalarOr(start));
  if (keys !== scores.shape[3]) tests.push(apply('less', index(3), scalarOr(keys)));
  if (causal) tests.push(apply('lessEqual', index(3), from));
  if (window !== undefined)
    tests.push(apply('less', apply('abs', apply('sub', from, index(3))), constant(window, 'i32')));
  if (mask) tests.push(apply('equal', apply('equal', input(0), constant(0, 'i32')), constant(0, 'i32')));
  if (tests.length === 0) return undefined;
  const all = tests.reduce((a, b) => apply('and', a, b));
  return mask ? pointwise(all, [mask]) : generate(scores, scores.shape, all, 'i32');
}

/** Values of keys that no query sees become 0, so that whatever memory holds there is not multiplied in. */
function hideUnseen(v: Tensor, q: Tensor, mask: Tensor | undefined, attrs: Attrs): Tensor {
  const { causal, start, keys } = attrs as { causal: boolean; start: number | ScalarRef; keys: number | ScalarRef };
  const tests: Expr[] = [];
  if (keys !== v.shape[1]) tests.push(apply('less', index(1), scalarOr(keys)));
  if (causal) tests.push(apply('less', index(1), apply('add', scalarOr(start), constant(q.shape[1]!, 'i32'))));
  // A padding mask is the same for every head and query.
  const padding = mask && mask.strides[1] === 0 && mask.strides[2] === 0 ? select(select(mask, 1, 0), 1, 0) : undefined; // [B, S]
  if (padding) tests.push(input(1));
  if (tests.length === 0) return v;
  const test = tests.reduce((a, b) => apply('select', a, b, constant(0, 'i32')));
  const expr = apply('select', test, input(0), constant(0));
  return pointwise(expr, padding ? [v, expandDims(expandDims(padding, 2), 3)] : [v]);
}

function attentionAttrs(q: Tensor, k: Tensor, options: AttentionOptions): Attrs {
  const {
    scale = 1 / Math.sqrt(q.shape[3]!),
    causal = false,
    start = 0,
    keys = k.shape[1]!,
    window,
    softcap,
    mask,
    bias,
  } = options;
  return {
    scale,
    causal,
    start,
    keys,
    mask: mask !== undefined,
    bias: bias !== undefined,
    ...(window === undefined ? {} : { window }),
    ...(softcap === undefined ? {} : { softcap }),
  };
}

function check(q: Tensor, k: Tensor, v: Tensor, { mask, bias }: AttentionOptions): number[] {
  const [b, t, h, d] = q.shape;
  const [kb, s, g, kd] = k.shape;
  const shapes = `q is ${formatShape(q.shape)}, k is ${formatShape(k.shape)}, v is ${formatShape(v.shape)}`;
  if (q.shape.length !== 4 || k.shape.length !== 4 || v.shape.length !== 4)
    throw new ShapeError(`attention: ${shapes}; all must be [batch, positions, heads, size]`);
  if (kb !== b || v.shape[0] !== b || v.shape[1] !== s || v.shape[2] !== g || kd !== d || h! % g! !== 0)
    throw new ShapeError(
      `attention: ${shapes}; batches and sizes of q and k must be equal, and the heads of k and v divide the heads of q`,
    );
  if (mask && mask.dtype !== 'i32') throw new DTypeError(`attention: mask is ${mask.dtype}; it must be i32`);
  if (bias && bias.dtype !== 'f32') throw new DTypeError(`attention: bias is ${bias.dtype}; it must be f32`);
  return [b!, h!, t!, s!];
}
