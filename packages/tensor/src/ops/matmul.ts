// Matrix products. Operands are views, so a transposed weight costs nothing.
import { DTypeError, ShapeError } from '../errors.ts';
import type { Tensor } from '../graph.ts';
import { broadcastLayout, broadcastShapes, formatShape, reshapeLayout } from '../shape.ts';
import { reshape, transpose } from './view.ts';

/** a [..., M, K] × b [..., K, N] → [..., M, N] in f32. Leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  for (const x of [a, b])
    if (x.dtype !== 'f32' && x.dtype !== 'f16')
      throw new DTypeError(`matmul: takes f32 or f16, received ${a.dtype} and ${b.dtype}`);
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-2))
    throw new ShapeError(
      `matmul: inner sizes differ: a is ${formatShape(a.shape)}, b is ${formatShape(b.shape)}; the last axis of a must equal the last but one of b`,
    );
  const { graph } = a;
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  if (b.shape.length === 2 && a.shape.length > 2) {
    // One matrix for all rows: the leading axes of a are rows too.
    const rows = reshapeLayout(a, [a.shape.slice(0, -1).reduce((x, y) => x * y, 1), k]);
    if (rows) return reshape(matmul(graph.view(a.node, rows), b), [...a.shape.slice(0, -1), n]);
  }
  const lead = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const left = graph.view(a.node, broadcastLayout('matmul', a, [...lead, m, k]));
  const right = graph.view(b.node, broadcastLayout('matmul', b, [...lead, k, n]));
  return graph.call('matmul', [left, right], {}, [...lead, m, n], 'f32');
}

/** x [..., K] × weightᵀ → [..., N], with the weight stored [N, K] as in torch.nn.Linear. */
export const linear = (x: Tensor, weight: Tensor): Tensor => {
  if (weight.shape.length !== 2 || x.shape.at(-1) !== weight.shape[1])
    throw new ShapeError(
      `linear: inner sizes differ: x is ${formatShape(x.shape)}, weight is ${formatShape(weight.shape)}; weight has one row per output and ${weight.shape[1]} columns, x has ${x.shape.at(-1)}`,
    );
  return matmul(x, transpose(weight));
};
