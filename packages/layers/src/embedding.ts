// Token ids become vectors.
import { add, gather, mul } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';

export interface EmbeddingOptions {
  /** Factor on the token vectors, such as sqrt(C). */
  readonly scale?: number;
  /** Added to the scaled token vectors: [T, C] or [B, T, C]. */
  readonly positions?: Tensor;
}

/** ids [B, T] (i32), table [V, C] → [B, T, C]. */
export function embedding(ids: Tensor, table: Tensor, { scale = 1, positions }: EmbeddingOptions = {}): Tensor {
  const tokens = gather(table, ids);
  const scaled = scale === 1 ? tokens : mul(tokens, scale);
  return positions ? add(scaled, positions) : scaled;
}
