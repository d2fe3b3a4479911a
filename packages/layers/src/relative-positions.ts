// Relative position biases (Raffel et al., arXiv:1910.10683 §2.1): one learned number for each head and bucket of distances, added
// to the scores. Near distances have a bucket each, far ones share buckets that grow logarithmically.
import { expr, gather, generate, transpose } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';

export interface Buckets {
  readonly buckets: number;
  /** Distances from here on share the last bucket. */
  readonly maxDistance: number;
  /** Half of the buckets for keys after the query; without, those share bucket 0. */
  readonly bidirectional: boolean;
}

/** The bucket of a key at `distance` = its position less that of the query. Rounds as single precision in transformers does. */
export function relativeBucket(distance: number, { buckets, maxDistance, bidirectional }: Buckets): number {
  const count = bidirectional ? Math.floor(buckets / 2) : buckets;
  const first = bidirectional && distance > 0 ? count : 0;
  const far = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(count / 2);
  if (far < exact) return first + far;
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(far / exact))) / fround(Math.log(maxDistance / exact)));
  return first + Math.min(count - 1, exact + Math.trunc(fround(share * (count - exact))));
}

export interface RelativeBiasOptions extends Buckets {
  /** Queries T and keys S. */
  readonly queries: number;
  readonly keys: number;
  /** Position of the first query among the keys. Default: 0. */
  readonly start?: number | ScalarRef;
}

/** table [buckets, H] → bias [H, T, S] for attention. */
export function relativeBias(table: Tensor, options: RelativeBiasOptions): Tensor {
  const { queries, keys, start = 0, buckets, maxDistance, bidirectional } = options;
  // Beyond it all distances have the same bucket.
  const most = Math.max(maxDistance, buckets);
  const byDistance = Int32Array.from({ length: 2 * most + 1 }, (_, i) => relativeBucket(i - most, options));
  const name = `buckets.${buckets}.${maxDistance}.${bidirectional ? 'both' : 'past'}`;
  const rows = table.graph.constant(name, [byDistance.length], byDistance);
  const { apply, constant, index } = expr;
  const whole = (value: number): expr.Expr => constant(value, 'i32');
  const first = typeof start === 'number' ? whole(start) : ({ kind: 'scalar', scalar: start.scalar } as const);
  const distance = apply('sub', index(1), apply('add', index(0), first));
  const row = apply('add', apply('max', apply('min', distance, whole(most)), whole(-most)), whole(most));
  const bucket = gather(rows, generate(table, [queries, keys], row, 'i32')); // i32 [T, S]
  return transpose(gather(table, bucket), [2, 0, 1]); // [H, T, S]
}
