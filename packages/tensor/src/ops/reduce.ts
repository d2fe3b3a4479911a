// Sums, means and extremes along axes.
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../graph.ts';
import { axisIndex, elements, formatShape } from '../shape.ts';
import { div } from './pointwise.ts';
import { reshape, transpose } from './view.ts';

export interface ReduceOptions {
  /** Axes to reduce. Default: the last one. */
  readonly axes?: readonly number[];
  /** Keep them with size one. Default: true, so that the result broadcasts against the input. */
  readonly keepDims?: boolean;
}

type Fn = 'sum' | 'max' | 'min' | 'prod';

function reduce(fn: Fn, x: Tensor, { axes = [-1], keepDims = true }: ReduceOptions = {}): Tensor {
  const rank = x.shape.length;
  const reduced = new Set(axes.map((a) => axisIndex(fn, a, rank)));
  if (reduced.size !== axes.length)
    throw new ShapeError(`${fn}: axes [${axes}] name an axis of ${formatShape(x.shape)} twice`);
  const kept = [...x.shape.keys()].filter((a) => !reduced.has(a));
  const ordered = transpose(x, [...kept, ...[...reduced].sort((a, b) => a - b)]);
  const shape = kept.map((a) => x.shape[a]!);
  const out = x.graph.call('reduce', [ordered], { fn, axes: reduced.size }, shape, x.dtype === 'i32' ? 'i32' : 'f32');
  return keepDims
    ? reshape(
        out,
        x.shape.map((d, a) => (reduced.has(a) ? 1 : d)),
      )
    : out;
}

export const sum = (x: Tensor, options?: ReduceOptions): Tensor => reduce('sum', x, options);
export const max = (x: Tensor, options?: ReduceOptions): Tensor => reduce('max', x, options);
export const min = (x: Tensor, options?: ReduceOptions): Tensor => reduce('min', x, options);
export const prod = (x: Tensor, options?: ReduceOptions): Tensor => reduce('prod', x, options);

export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  const total = sum(x, options);
  return div(total, elements((options.axes ?? [-1]).map((a) => x.shape.at(a)!)));
};
