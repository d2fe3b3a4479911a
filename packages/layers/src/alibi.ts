// Attention with linear biases (Press et al., arXiv:2108.12409): scores fall with the distance of the key, at a rate of each head's own.
import { cast, generate, expr, mul, reshape } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';

/** The rates of the heads: powers of 2^(-8 / n) for the power of two n below, then every other one of those for 2 n. */
export function alibiSlopes(heads: number): Float32Array {
  const whole = 2 ** Math.floor(Math.log2(heads));
  return Float32Array.from({ length: heads }, (_, h) =>
    h < whole ? 2 ** ((-8 * (h + 1)) / whole) : 2 ** ((-8 * (2 * (h - whole) + 1)) / (2 * whole)),
  );
}

/**
 * What is added to the scores: slope × position of the key, [B, H, 1, S]. That differs from slope × distance by a number that all
 * keys of a query share, which softmax does not see. `positions` i32 [B, S]; without, keys count from 0: [1, H, 1, S].
 */
export function alibiBias(
  g: Graph,
  slopes: Float32Array,
  keys: { positions?: Tensor | undefined; count: number },
): Tensor {
  const { positions, count } = keys;
  const table = reshape(g.constant('alibi.slopes', [slopes.length], slopes), [1, slopes.length, 1, 1]);
  const at = positions
    ? reshape(cast(positions, 'f32'), [positions.shape[0]!, 1, 1, count])
    : generate(table, [1, 1, 1, count], expr.cast('f32', expr.index(3)));
  return mul(table, at);
}
