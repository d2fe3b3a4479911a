// Reading and writing elements by index: all of it is gather and scatter over a table of rows, with indices counted over several axes.
import {
  add,
  assign,
  elements,
  equal,
  expandDims,
  expr,
  gather,
  less,
  max,
  maximum,
  min,
  minimum,
  mod,
  mul,
  pointwise,
  prod,
  reshape,
  scatter,
  select,
  where,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { OnnxNode, Operator } from '../node.ts';
import { axisOf, moveAxis, positions } from './axes.ts';

const { apply, constant, index, input } = expr;

/** Negative indices count from the end. */
const fromStart = (indices: Tensor, size: number): Tensor => where(less(indices, 0), add(indices, size), indices);

/** Element `[…, i, …]` of the result is that of x with `indices[…, i, …]` on an axis. */
export const gatherElements = (x: Tensor, indices: Tensor, axis: number): Tensor =>
  gather(reshape(x, [-1]), flatIndices(x.shape, indices, axis));

/** The number of each indexed element in row-major order. */
function flatIndices(shape: readonly number[], indices: Tensor, axis: number): Tensor {
  const at = axisOf(axis, shape.length);
  const place = shape.map((_, a) => {
    const stride = constant(elements(shape.slice(a + 1)), 'i32');
    return apply('mul', a === at ? input(0) : index(a), stride);
  });
  return pointwise(
    place.reduce((a, b) => apply('add', a, b)),
    [fromStart(indices, shape[at]!)],
  );
}

/** Numbers of rows from tuples of indices along the last axis, `batch` leading axes apart: [..., M] → [...]. */
function tupleIndices(shape: readonly number[], tuples: Tensor, batch: number): Tensor {
  const size = tuples.shape.at(-1)!;
  const rowsAfter = (axis: number): number => elements(shape.slice(axis + 1, batch + size));
  const parts = Array.from({ length: size }, (_, m) => {
    const one = fromStart(select(tuples, -1, m), shape[batch + m]!);
    return mul(one, rowsAfter(batch + m));
  });
  const own = parts.reduce(add);
  return Array.from({ length: batch }, (_, b) => mul(positions(tuples.graph, own.shape, b), rowsAfter(b))).reduce(
    add,
    own,
  );
}

function gatherNd(node: OnnxNode): Tensor {
  const [x, tuples, batch] = [node.tensor(0), node.as('i32', 1), node.number('batch_dims', 0)];
  const depth = batch + tuples.shape.at(-1)!;
  const rest = x.shape.slice(depth);
  return gather(reshape(x, [elements(x.shape.slice(0, depth)), ...rest]), tupleIndices(x.shape, tuples, batch));
}

/** Update rows [V, ...R] at indices [I] with [I, ...R]; with a reduction every row takes in all that are written to it. */
function updateRows(rows: Tensor, at: Tensor, updates: Tensor, reduction: string): Tensor {
  const { graph } = rows;
  if (reduction === 'none' || reduction === 'add') {
    const target = assign(graph.empty(rows.shape, rows.dtype), rows);
    return scatter(target, at, updates, { mode: reduction === 'add' ? 'add' : 'set' });
  }
  const { neutral, over, join } = reductions[reduction]!;
  const shape = [rows.shape[0]!, updates.shape[0]!, ...rows.shape.slice(1)]; // [V, I, ...R]
  const indices = reshape(at, [1, at.shape[0]!, ...rows.shape.slice(1).map(() => 1)]);
  const written = where(equal(positions(graph, shape, 0), indices), expandDims(updates, 0), neutral);
  return join(rows, over(written, { axes: [1], keepDims: false }));
}

const reductions: Readonly<
  Record<string, { neutral: number; over: typeof max; join: (a: Tensor, b: Tensor) => Tensor }>
> = {
  mul: { neutral: 1, over: prod, join: mul },
  max: { neutral: -3e38, over: max, join: maximum },
  min: { neutral: 3e38, over: min, join: minimum },
};

function scatterElements(node: OnnxNode): Tensor {
  const x = node.tensor(0);
  const at = flatIndices(x.shape, node.as('i32', 1), node.number('axis', 0));
  const flat = (t: Tensor): Tensor => reshape(t, [-1]);
  return reshape(updateRows(flat(x), flat(at), flat(node.tensor(2)), node.text('reduction', 'none')), x.shape);
}

function scatterNd(node: OnnxNode): Tensor {
  const [x, tuples] = [node.tensor(0), node.as('i32', 1)];
  const depth = tuples.shape.at(-1)!;
  const rest = x.shape.slice(depth);
  const rows = reshape(x, [elements(x.shape.slice(0, depth)), ...rest]);
  const at = reshape(tupleIndices(x.shape, tuples, 0), [-1]);
  return reshape(
    updateRows(rows, at, reshape(node.tensor(2), [at.shape[0]!, ...rest]), node.text('reduction', 'none')),
    x.shape,
  );
}

/** Rows of a cache [B, ..., S, D] from a position of its own for each batch on; circular ones begin again at 0. */
function tensorScatter(node: OnnxNode): Tensor {
  const [cache, update] = [node.tensor(0), node.tensor(1)];
  const axis = axisOf(node.number('axis', -2), cache.shape.length);
  const [slots, rest] = [cache.shape[axis]!, cache.shape.slice(axis + 1)];
  const places = update.shape.slice(0, axis + 1); // [B, ..., T]
  const begin = node.has(2) ? reshape(node.as('i32', 2), [-1, ...places.slice(1).map(() => 1)]) : undefined;
  const steps = positions(node.graph, places, axis);
  const slot = begin ? add(steps, begin) : steps;
  const wrapped = node.text('mode', 'linear') === 'circular' ? mod(slot, slots) : slot;
  const before = places
    .slice(0, axis)
    .map((_, a) => mul(positions(node.graph, places, a), elements(cache.shape.slice(a + 1, axis + 1))));
  const at = reshape(before.reduce(add, wrapped), [-1]);
  const rows = reshape(cache, [elements(cache.shape.slice(0, axis + 1)), ...rest]);
  return reshape(updateRows(rows, at, reshape(update, [at.shape[0]!, ...rest]), 'none'), cache.shape);
}

function oneHot(node: OnnxNode): Tensor {
  const depth = node.values(1)[0]!;
  const values = node.tensor(2);
  const indices = fromStart(node.as('i32', 0), depth);
  const axis = axisOf(node.number('axis', -1), indices.shape.length + 1);
  const shape = indices.shape.toSpliced(axis, 0, depth);
  const hot = equal(positions(node.graph, shape, axis), expandDims(indices, axis));
  return where(hot, select(values, 0, 1), select(values, 0, 0));
}

export const rowOperators: Readonly<Record<string, Operator>> = {
  Gather(node) {
    const axis = axisOf(node.number('axis', 0), node.shape(0).length);
    const indices = fromStart(node.as('i32', 1), node.shape(0)[axis]!);
    const found = gather(moveAxis(node.tensor(0), axis, 0), indices);
    // The axes of the indices take the place of the axis.
    return indices.shape.reduce((t) => moveAxis(t, 0, axis + indices.shape.length - 1), found);
  },
  GatherElements: (node) => gatherElements(node.tensor(0), node.as('i32', 1), node.number('axis', 0)),
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterNd,
  TensorScatter: tensorScatter,
  OneHot: oneHot,
};
