// Other ways to look at the same elements. All are free, but `reshape` of a view that no strides can express copies.
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../graph.ts';
import { axisIndex, broadcastLayout, elements, formatShape, reshapeLayout } from '../shape.ts';
import type { Shape } from '../shape.ts';
import { copy } from './copy.ts';

/** The same elements in another shape. One size may be -1 and is worked out. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.filter((d) => d !== -1);
  const open = shape.length - known.length;
  const rest = elements(x.shape) / elements(known);
  const to = shape.map((d) => (d === -1 ? rest : d));
  if (open > 1 || (open === 1 && !Number.isInteger(rest)) || elements(to) !== elements(x.shape))
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${elements(x.shape)} elements; ${formatShape(shape)} does not`,
    );
  const layout = reshapeLayout(x, to);
  return layout ? x.graph.view(x.node, layout) : reshape(copy(x), to);
}

/** Axes in another order: axis i of the result is axis `order[i]` of x. Default: the last two swapped. */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  const rank = x.shape.length;
  const axes = (order ?? [...x.shape.keys()].toSpliced(-2, 2, rank - 1, rank - 2)).map((a) =>
    axisIndex('transpose', a, rank),
  );
  if (axes.length !== rank || new Set(axes).size !== rank)
    throw new ShapeError(`transpose: order [${order}] does not name every axis of ${formatShape(x.shape)} once`);
  return x.graph.view(x.node, {
    offset: x.offset,
    shape: axes.map((a) => x.shape[a]!),
    strides: axes.map((a) => x.strides[a]!),
  });
}

/** Elements `start` to before `end` of one axis, every `step`-th. Negative positions count from the end. */
export function slice(x: Tensor, axis: number, start: number, end = x.shape.at(axis)!, step = 1): Tensor {
  const at = axisIndex('slice', axis, x.shape.length);
  const size = x.shape[at]!;
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : end;
  if (from < 0 || to > size || from > to || step < 1)
    throw new ShapeError(
      `slice: ${start}:${end}:${step} of axis ${axis}, which has ${size} elements; it must lie within`,
    );
  return x.graph.view(x.node, {
    offset: x.offset + from * x.strides[at]!,
    shape: x.shape.with(at, Math.ceil((to - from) / step)),
    strides: x.strides.with(at, x.strides[at]! * step),
  });
}

/** One element of an axis; the axis goes away. */
export function select(x: Tensor, axis: number, position: number): Tensor {
  const at = axisIndex('select', axis, x.shape.length);
  const one = slice(x, at, position, position === -1 ? x.shape[at]! : position + 1);
  return x.graph.view(x.node, {
    offset: one.offset,
    shape: one.shape.toSpliced(at, 1),
    strides: one.strides.toSpliced(at, 1),
  });
}

/** Cut an axis into parts of the given sizes. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape.at(axis))
    throw new ShapeError(
      `split: sizes [${sizes}] add up to ${total}; axis ${axis} of ${formatShape(x.shape)} has ${x.shape.at(axis)}`,
    );
  let start = 0;
  return sizes.map((size) => slice(x, axis, start, (start += size)));
}

/** Stretch axes of size one, and add leading axes. */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  x.graph.view(x.node, broadcastLayout('broadcastTo', x, shape));

/** Add an axis of size one. */
export function expandDims(x: Tensor, axis: number): Tensor {
  const at = axisIndex('expandDims', axis, x.shape.length + 1);
  return x.graph.view(x.node, {
    offset: x.offset,
    shape: x.shape.toSpliced(at, 0, 1),
    strides: x.strides.toSpliced(at, 0, 0),
  });
}
