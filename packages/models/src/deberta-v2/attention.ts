// Disentangled attention (He et al., arXiv:2006.03654 §3.1): scores add up from content to content, content to the relative position
// of the key, and the relative position of the query to content. Distances are cut or bucketed as in DeBERTa v2 and v3.
import { linear, linearWeights, mergedLinearWeights } from '@transept/layers';
import type { Weights } from '@transept/layers';
import {
  add,
  attention,
  attentionWeights,
  broadcastTo,
  expr,
  gather,
  generate,
  matmul,
  mul,
  pointwise,
  reshape,
  slice,
  transpose,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { DebertaConfig, RelativeConfig } from './config.ts';

/** Vectors of relative positions, [2·span, C], and which of them belongs to each query and key: i32 [T, T]. */
export interface RelativePositions {
  readonly vectors: Tensor;
  readonly rows: Tensor;
}

/** x [B, T, C], mask i32 [B, T] → [B, T, C]. */
export function disentangledAttention(
  x: Tensor,
  w: Weights,
  config: DebertaConfig,
  { mask, positions, onWeights }: { mask: Tensor; positions?: RelativePositions; onWeights?: (a: Tensor) => void },
): Tensor {
  const { width, heads, relative } = config;
  const [rows, length] = x.shape as readonly [number, number];
  const maps = mergedLinearWeights(w.at('self'), ['query_proj', 'key_proj', 'value_proj'], width, [
    width,
    width,
    width,
  ]);
  const perHead = (t: Tensor, at: number): Tensor =>
    reshape(slice(t, -1, at * width, (at + 1) * width), [...t.shape.slice(0, -1), heads, width / heads]);
  const projected = linear(x, maps); // [B, T, 3·C]
  const [query, key, value] = [perHead(projected, 0), perHead(projected, 1), perHead(projected, 2)]; // [B, T, H, D]
  const kinds = relative ? Number(relative.contentToPosition) + Number(relative.positionToContent) : 0;
  const scale = 1 / Math.sqrt((width / heads) * (1 + kinds));
  const biases: Tensor[] = [];
  if (positions && relative) {
    const { vectors } = positions;
    const shared = relative.sharedMaps && kinds > 0 ? linear(vectors, firstTwo(maps, width)) : undefined; // [2·span, 2·C]
    const mapped = (name: string, at: number): Tensor =>
      shared ? perHead(shared, at) : perHead(linear(vectors, linearWeights(w.at('self'), name, width, width)), 0);
    if (relative.contentToPosition) biases.push(scoresAt(query, mapped('pos_key_proj', 1), positions.rows, 'query'));
    if (relative.positionToContent) biases.push(scoresAt(key, mapped('pos_query_proj', 0), positions.rows, 'key'));
  }
  const options = {
    scale,
    mask: reshape(mask, [rows, 1, 1, length]),
    ...(biases.length > 0 && { bias: mul(biases.reduce(add), scale) }), // [B, H, T, T]
  };
  onWeights?.(attentionWeights(query, key, options));
  const mixed = attention(query, key, value, options); // [B, T, H, D]
  return linear(reshape(mixed, [rows, length, width]), linearWeights(w, 'output.dense', width, width));
}

/** The maps of queries and keys out of those of queries, keys and values. */
const firstTwo = ({ weight, bias }: { weight: Tensor; bias?: Tensor }, width: number) => ({
  weight: slice(weight, 0, 0, 2 * width),
  ...(bias && { bias: slice(bias, 0, 0, 2 * width) }),
});

/**
 * content [B, T, H, D] of queries or keys against position vectors [P, H, D], for each query and key the one that `at` [T, T]
 * names: [B, H, T, T].
 */
function scoresAt(content: Tensor, vectors: Tensor, at: Tensor, side: 'query' | 'key'): Tensor {
  const [B, T, H] = content.shape as readonly [number, number, number];
  const P = vectors.shape[0]!;
  const all = matmul(transpose(content, [0, 2, 1, 3]), transpose(vectors, [1, 2, 0])); // [B, H, T, P]
  const { apply, constant, index, input } = expr;
  const times = (x: expr.Expr, n: number): expr.Expr => apply('mul', x, constant(n, 'i32'));
  const row = apply('add', times(apply('add', times(index(0), H), index(1)), T), index(side === 'query' ? 2 : 3));
  const element = apply('add', times(row, P), input(0));
  return gather(reshape(all, [B * H * T * P]), pointwise(element, [broadcastTo(at, [B, H, T, T])]));
}

/** Which position vector belongs to each query i and key j, by i − j: i32 [T, T]. */
export function positionRowsOf(like: Tensor, length: number, relative: RelativeConfig, most: number): Tensor {
  const { span, logarithmic } = relative;
  const { apply, constant, index } = expr;
  const whole = (value: number): expr.Expr => constant(value, 'i32');
  const clamp = (x: expr.Expr, low: number, high: number): expr.Expr =>
    apply('max', apply('min', x, whole(high)), whole(low));
  const distance = apply('sub', index(0), index(1));
  if (!logarithmic) {
    const row = clamp(apply('add', distance, whole(span)), 0, 2 * span - 1);
    return generate(like, [length, length], row, 'i32');
  }
  const { buckets, maxDistance } = logarithmic;
  const table = Int32Array.from({ length: 2 * most + 1 }, (_, i) =>
    Math.min(Math.max(logBucket(i - most, buckets, maxDistance) + span, 0), 2 * span - 1),
  );
  const rows = like.graph.constant(`relative.${buckets}.${maxDistance}.${most}`, [table.length], table);
  const place = apply('add', clamp(distance, -most, most), whole(most));
  return gather(rows, generate(like, [length, length], place, 'i32'));
}

/** Distances up to half of the buckets keep their own, farther ones share buckets by their logarithm. Rounds in single precision. */
export function logBucket(distance: number, buckets: number, maxDistance: number): number {
  const { fround } = Math;
  const middle = Math.floor(buckets / 2);
  const far = Math.abs(distance);
  if (far <= middle) return distance;
  const share = fround(fround(Math.log(fround(far / middle))) / fround(Math.log(fround((maxDistance - 1) / middle))));
  return Math.sign(distance) * (Math.ceil(fround(share * (middle - 1))) + middle);
}
