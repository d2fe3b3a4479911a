// Operators that only move elements. Shapes, axes and sizes are inputs in ONNX and fixed when a graph is traced here.
import {
  add,
  broadcastShapes,
  broadcastTo,
  cast,
  concat,
  copy,
  elements,
  expandDims,
  expr,
  mul,
  pad,
  pointwise,
  reshape,
  slice,
  split,
  transpose,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { Unsupported } from '../../case.ts';
import { valuesOf } from '../format.ts';
import type { OnnxNode, Operator } from '../node.ts';
import { axisOf, flattenFrom, full, positions, take } from './axes.ts';

const { apply, constant, index, input } = expr;

/** 0 takes over the size of x, unless `allowzero`; −1 is what is left. */
function reshaped(node: OnnxNode): Tensor {
  const x = node.tensor(0);
  const sizes = node.values(1).map((d, i) => (d === 0 && !node.flag('allowzero') ? x.shape[i]! : d));
  return reshape(x, sizes);
}

/** Starts and ends beyond the ends of an axis mean its ends. */
function sliced(node: OnnxNode): Tensor {
  let x = node.tensor(0);
  const [starts, ends] = [node.values(1), node.values(2)];
  const axes = node.has(3) ? node.values(3) : [...starts.keys()];
  axes.forEach((axis, i) => {
    const [size, step] = [x.shape.at(axis)!, node.has(4) ? node.values(4)[i]! : 1];
    const within = (at: number, least: number, most: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, least), most);
    if (step > 0) {
      const start = within(starts[i]!, 0, size);
      x = slice(x, axis, start, Math.max(start, within(ends[i]!, 0, size)), step);
    } else {
      const chosen: number[] = [];
      const end = within(ends[i]!, -1, size - 1);
      for (let at = within(starts[i]!, 0, size - 1); at > end; at += step) chosen.push(at);
      x = take(x, axis, chosen, `backwards along ${axis}`);
    }
  });
  return x;
}

function padded(node: OnnxNode): Tensor {
  const x = node.tensor(0);
  const rank = x.shape.length;
  const pads = node.values(1);
  const axes = node.has(3) ? node.values(3).map((a) => axisOf(a, rank)) : [...x.shape.keys()];
  const [before, after] = [x.shape.map(() => 0), x.shape.map(() => 0)];
  axes.forEach((axis, i) => {
    before[axis] = pads[i]!;
    after[axis] = pads[axes.length + i]!;
  });
  const mode = node.text('mode', 'constant');
  if (mode === 'constant') return pad(x, before, after, node.value(2, 0));
  return x.shape.reduce((t, size, axis) => {
    const places = Array.from({ length: before[axis]! + size + after[axis]! }, (_, i) => i - before[axis]!);
    return take(
      t,
      axis,
      places.map((i) => inside(mode, i, size)),
      `${mode} along ${axis}`,
    );
  }, x);
}

/** The element that stands for one outside. */
function inside(mode: string, i: number, size: number): number {
  switch (mode) {
    case 'edge':
      return Math.min(Math.max(i, 0), size - 1);
    case 'wrap':
      return ((i % size) + size) % size;
    case 'reflect': {
      const period = 2 * (size - 1);
      const at = ((i % period) + period) % period;
      return at < size ? at : period - at;
    }
    default:
      throw new Unsupported(`Pad: no mode "${mode}"; there are constant, edge, reflect and wrap`);
  }
}

/** By sizes as an input or attribute, or into parts of equal size of which the last may be smaller. */
function parts(node: OnnxNode): Tensor[] {
  const x = node.tensor(0);
  const axis = axisOf(node.number('axis', 0), x.shape.length);
  const count = node.outputs.length;
  const size = Math.ceil(x.shape[axis]! / count);
  const equal = Array.from({ length: count }, (_, i) => Math.min(size, Math.max(0, x.shape[axis]! - i * size)));
  return split(x, axis, node.has(1) ? node.values(1) : (node.numbers('split') ?? equal));
}

function tiled(node: OnnxNode): Tensor {
  const x = node.tensor(0);
  const times = node.values(1);
  const apart = x.shape.reduce((t, _, axis) => expandDims(t, 2 * axis), x); // [1, D0, 1, D1, …]
  const stretched = broadcastTo(
    apart,
    x.shape.flatMap((d, axis) => [times[axis]!, d]),
  );
  return reshape(
    copy(stretched),
    x.shape.map((d, axis) => d * times[axis]!),
  );
}

/** The upper or lower triangle of the last two axes; zeros elsewhere. */
function triangle(node: OnnxNode): Tensor {
  const x = node.tensor(0);
  if (elements(x.shape) === 0) return copy(x);
  const [row, column] = [index(x.shape.length - 2), index(x.shape.length - 1)];
  const diagonal = apply('add', row, constant(node.value(1, 0), 'i32'));
  const kept = node.flag('upper', true) ? apply('lessEqual', diagonal, column) : apply('lessEqual', column, diagonal);
  const zero = constant(0, x.dtype === 'i32' || x.dtype === 'u32' ? x.dtype : 'f32');
  return pointwise(apply('select', kept, input(0), zero), [x]);
}

/** start, start + delta, … up to before limit. How many there are is fixed when the graph is traced. */
function range(node: OnnxNode): Tensor {
  const [start, limit, delta] = [node.values(0)[0]!, node.values(1)[0]!, node.values(2)[0]!];
  const steps = positions(node.graph, [Math.max(0, Math.ceil((limit - start) / delta))], 0);
  const { dtype } = node.kind(0);
  const [first, by] = [node.tensor(0), node.tensor(2)];
  return add(mul(cast(steps, dtype), by), first);
}

function constantOfShape(node: OnnxNode): Tensor {
  const value = node.attribute('value');
  return full(node.graph, node.values(0), value ? valuesOf(value)[0]! : 0, node.outputKind(0).dtype);
}

function squeezed(node: OnnxNode): Tensor {
  const shape = node.shape(0);
  const given = node.has(1)
    ? node.values(1)
    : (node.numbers('axes') ?? [...shape.keys()].filter((a) => shape[a] === 1));
  const axes = given.map((a) => axisOf(a, shape.length));
  return reshape(
    node.tensor(0),
    shape.filter((_, a) => !axes.includes(a)),
  );
}

function unsqueezed(node: OnnxNode): Tensor {
  const shape = node.shape(0);
  const given = node.has(1) ? node.values(1) : node.numbers('axes')!;
  const axes = given.map((a) => axisOf(a, shape.length + given.length)).sort((a, b) => a - b);
  return axes.reduce((t, axis) => expandDims(t, axis), node.tensor(0));
}

/** Inference keeps everything, and so does a ratio of 0. */
function dropout(node: OnnxNode): (Tensor | undefined)[] {
  const x = node.tensor(0);
  return [copy(x), node.outputs[1] ? full(node.graph, x.shape, 1, 'i32') : undefined];
}

export const shapeOperators: Readonly<Record<string, Operator>> = {
  Concat: (node) => concat(node.tensors(), node.number('axis', 0)),
  ConstantOfShape: constantOfShape,
  Dropout: dropout,
  Expand: (node) => broadcastTo(node.tensor(0), broadcastShapes('Expand', node.shape(0), node.values(1))),
  Flatten: (node) => flattenAt(node.tensor(0), node.number('axis', 1)),
  Pad: padded,
  Range: range,
  Reshape: reshaped,
  Slice: sliced,
  Split: parts,
  Squeeze: squeezed,
  Tile: tiled,
  Transpose: (node) => transpose(node.tensor(0), node.numbers('perm') ?? [...node.shape(0).keys()].reverse()),
  Trilu: triangle,
  Unsqueeze: unsqueezed,
};

/** Here the axis may also lie after the last one. */
const flattenAt = (x: Tensor, axis: number): Tensor =>
  axis === x.shape.length ? reshape(x, [-1, 1]) : flattenFrom(x, axis);
