// Moving elements without changing them: contiguous copies, writing part of a tensor in place, joining, padding.
import { DTypeError, ShapeError } from '../errors.ts';
import type { Tensor } from '../graph.ts';
import { axisIndex, broadcastLayout, formatShape, sameShape } from '../shape.ts';
import { fill } from './pointwise.ts';
import { slice } from './view.ts';

/** The same elements in memory of their own, in row-major order. */
export const copy = (x: Tensor): Tensor => x.graph.call('copy', [x], {}, x.shape, x.dtype);

/** Write `value` into `target`, a part of a state or of an empty tensor, in place. Gives the whole in its new version. */
export function assign(target: Tensor, value: Tensor): Tensor {
  if (target.dtype !== value.dtype)
    throw new DTypeError(`assign: target is ${target.dtype}, value is ${value.dtype}; cast it`);
  const { graph } = target;
  return graph.write('copy', target, [graph.view(value.node, broadcastLayout('assign', value, target.shape))], {});
}

/** Tensors one after the other along an axis. */
export function concat(xs: readonly [Tensor, ...Tensor[]], axis: number): Tensor {
  const [first] = xs;
  const at = axisIndex('concat', axis, first.shape.length);
  for (const x of xs)
    if (x.dtype !== first.dtype || !sameShape(x.shape.toSpliced(at, 1), first.shape.toSpliced(at, 1)))
      throw new ShapeError(
        `concat: ${first.dtype} ${formatShape(first.shape)} and ${x.dtype} ${formatShape(x.shape)} differ beyond axis ${axis}`,
      );
  const size = xs.reduce((n, x) => n + x.shape[at]!, 0);
  let all = first.graph.empty(first.shape.with(at, size), first.dtype);
  let start = 0;
  for (const x of xs) all = assign(slice(all, at, start, (start += x.shape[at]!)), x);
  return all;
}

/** Elements of `value` before and after each axis. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[], value = 0): Tensor {
  const shape = x.shape.map((d, i) => d + (before[i] ?? 0) + (after[i] ?? 0));
  const filler = fill(x, shape, value, x.dtype === 'i32' || x.dtype === 'u32' ? x.dtype : 'f32');
  const all = assign(x.graph.empty(shape, x.dtype), filler);
  const middle = x.shape.reduce((t, d, i) => slice(t, i, before[i] ?? 0, (before[i] ?? 0) + d), all);
  return assign(middle, x);
}
