// Transformer blocks by where their norms stand: after each sublayer and its residual (Vaswani et al., arXiv:1706.03762), or
// before each sublayer (Xiong et al., arXiv:2002.04745).
import { add } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';

type Map = (x: Tensor) => Tensor;

export interface Block {
  readonly attend: Map;
  readonly attentionNorm: Map;
  readonly feed: Map;
  readonly feedNorm: Map;
}

/** x [B, T, C] → norm(h + feed(h)) of h = norm(x + attend(x)). */
export function postNormBlock(x: Tensor, { attend, attentionNorm, feed, feedNorm }: Block): Tensor {
  const h = attentionNorm(add(x, attend(x)));
  return feedNorm(add(h, feed(h)));
}

/** x [B, T, C] → h + feed(norm(h)) of h = x + attend(norm(x)). */
export function preNormBlock(x: Tensor, { attend, attentionNorm, feed, feedNorm }: Block): Tensor {
  const h = add(x, attend(attentionNorm(x)));
  return add(h, feed(feedNorm(h)));
}
