// One-dimensional convolutions as matrix products: every window of neighbours becomes a row.
import { add, assign, broadcastTo, concat, matmul, pad, reshape, select, slice, transpose } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { Weights } from './weights.ts';

export interface ConvolutionOptions {
  /** Channels that come out. */
  readonly width: number;
  /** Neighbours that a window takes. */
  readonly size: number;
  /** Zeros before and after. */
  readonly padding?: number;
  /** Windows begin at every so many positions. Default: 1. */
  readonly stride?: number;
  /** Channels fall into so many groups that do not mix. Default: 1. */
  readonly groups?: number;
}

/** x [B, T, K] with `weight` [N, K / groups, size] and `bias` [N], as in torch.nn.Conv1d, → [B, (T + 2·padding − size) / stride + 1, N]. */
export function convolution(x: Tensor, w: Weights, options: ConvolutionOptions): Tensor {
  const { width, size, padding = 0, stride = 1, groups = 1 } = options;
  const [B, , K] = x.shape as readonly [number, number, number];
  const weight = w.get('weight', [width, K / groups, size]);
  const padded = padding > 0 ? pad(x, [0, padding, 0], [0, padding, 0]) : x;
  const count = Math.floor((padded.shape[1]! - size) / stride) + 1;
  let windows = x.graph.empty([B, count, K, size]);
  for (let k = 0; k < size; k++)
    windows = assign(select(windows, 3, k), slice(padded, 1, k, k + (count - 1) * stride + 1, stride));
  const perGroup = width / groups;
  const products = Array.from({ length: groups }, (_, i) => {
    const inputs = slice(windows, 2, (i * K) / groups, ((i + 1) * K) / groups);
    const map = slice(weight, 0, i * perGroup, (i + 1) * perGroup);
    return matmul(reshape(inputs, [B, count, -1]), transpose(reshape(map, [perGroup, -1]))); // [B, count, N / groups]
  });
  const joined = concat(products as [Tensor, ...Tensor[]], -1);
  return add(joined, broadcastTo(w.get('bias', [width]), joined.shape));
}
