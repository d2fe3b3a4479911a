// Rotary position embedding (Su et al., arXiv:2104.09864). Angles come as tables, computed on the host in f64.
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../graph.ts';
import { add, mul, sub } from '../ops/pointwise.ts';
import { assign } from '../ops/copy.ts';
import { broadcastTo, slice } from '../ops/view.ts';
import { formatShape } from '../shape.ts';
import type { Definition } from './definition.ts';

export interface RopeOptions {
  /** Pairs are (x[2i], x[2i + 1]) instead of (x[i], x[i + R/2]). */
  readonly interleaved?: boolean;
}

/** Rotate the first R elements of the last axis. x [B, T, H, D]; cos and sin broadcast to [B, T, H, R/2]. */
export function rope(x: Tensor, cos: Tensor, sin: Tensor, { interleaved = false }: RopeOptions = {}): Tensor {
  const half = cos.shape.at(-1)!;
  if (x.shape.length !== 4 || 2 * half > x.shape[3]!)
    throw new ShapeError(
      `rope: x is ${formatShape(x.shape)}, cos is ${formatShape(cos.shape)}; x must be [B, T, H, D] and cos at most D/2 wide`,
    );
  const shape = [...x.shape.slice(0, -1), half];
  return x.graph.call('rope', [x, broadcastTo(cos, shape), broadcastTo(sin, shape)], { interleaved }, x.shape, 'f32');
}

export const defineRope: Definition = ([x, cos, sin], { interleaved }) => {
  const half = cos!.shape.at(-1)!;
  const size = x!.shape.at(-1)!;
  const pair = (t: Tensor): [Tensor, Tensor] =>
    interleaved
      ? [slice(t, -1, 0, 2 * half, 2), slice(t, -1, 1, 2 * half, 2)]
      : [slice(t, -1, 0, half), slice(t, -1, half, 2 * half)];
  const [a, b] = pair(x!);
  let out = x!.graph.empty(x!.shape);
  out = assign(pair(out)[0], sub(mul(a, cos!), mul(b, sin!)));
  out = assign(pair(out)[1], add(mul(b, cos!), mul(a, sin!)));
  return 2 * half === size ? out : assign(slice(out, -1, 2 * half, size), slice(x!, -1, 2 * half, size));
};
