// What many operators share: another axis than the last, elements of an axis by number, a tensor full of a number.
import { broadcastTo, cast, copy, elements, expandDims, expr, gather, reshape, transpose } from '@transept/tensor';
import type { DType, Graph, Tensor } from '@transept/tensor';

export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** A tensor full of one number. */
export function full(graph: Graph, shape: readonly number[], value: number, dtype: DType = 'f32'): Tensor {
  const integer = dtype === 'i32' || dtype === 'u32';
  const made = graph.call(
    'pointwise',
    [],
    { expr: expr.constant(value, integer ? dtype : 'f32') },
    shape,
    integer ? dtype : 'f32',
  );
  return cast(made, dtype);
}

/** Positions along an axis of a shape, i32. */
export const positions = (graph: Graph, shape: readonly number[], axis: number): Tensor =>
  graph.call('pointwise', [], { expr: expr.index(axisOf(axis, shape.length)) }, shape, 'i32');

/** An axis moved to another place. */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  const rank = x.shape.length;
  const others = [...x.shape.keys()].filter((a) => a !== axisOf(from, rank));
  return transpose(x, others.toSpliced(axisOf(to, rank), 0, axisOf(from, rank)));
}

/** Do something along the last axis to another one. */
export const along = (x: Tensor, axis: number, act: (x: Tensor) => Tensor): Tensor =>
  moveAxis(act(moveAxis(x, axis, -1)), -1, axis);

/** Do something to the last of two axes that stands for all from `axis` on. */
export function flattenFrom(x: Tensor, axis: number): Tensor {
  const at = axisOf(axis, x.shape.length);
  return reshape(x, [elements(x.shape.slice(0, at)), elements(x.shape.slice(at))]);
}

/** Elements of an axis, by numbers that are known when the graph is traced. */
export function take(x: Tensor, axis: number, numbers: readonly number[], name: string): Tensor {
  const rows = x.graph.constant(name, [numbers.length], Int32Array.from(numbers));
  return moveAxis(gather(moveAxis(x, axis, 0), rows), 0, axis);
}

/** Every element `times` times in a row, along an axis. */
export function repeat(x: Tensor, axis: number, times: number): Tensor {
  const at = axisOf(axis, x.shape.length);
  const spread = expandDims(x, at + 1);
  const stretched = broadcastTo(spread, spread.shape.with(at + 1, times));
  return reshape(copy(stretched), x.shape.with(at, x.shape[at]! * times));
}

/** A tensor of rank 0 or 1 along one axis of a shape, to be broadcast. */
export const aligned = (x: Tensor, axis: number, rank: number): Tensor =>
  x.shape.length === 1 && x.shape[0]! > 1
    ? reshape(
        x,
        Array.from({ length: rank }, (_, a) => (a === axisOf(axis, rank) ? x.shape[0]! : 1)),
      )
    : x;
