// Memory of the oracle: every element of a buffer as a bounded number.
import type { View } from '@transept/tensor';
import { smallestNormal } from '../bounds.ts';
import type { Bounded } from './bounded.ts';

export class Cells {
  readonly value: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;

  /** Memory that nothing was written to is not a number. */
  constructor(length: number) {
    this.value = new Float64Array(length).fill(NaN);
    this.low = new Float64Array(length).fill(NaN);
    this.high = new Float64Array(length).fill(NaN);
  }

  get(at: number): Bounded {
    return { value: this.value[at]!, low: this.low[at]!, high: this.high[at]! };
  }

  set(at: number, { value, low, high }: Bounded): void {
    this.value[at] = value;
    this.low[at] = low;
    this.high[at] = high;
  }

  /** Exact numbers, from the first element on, as many as there are places. */
  fill(values: ArrayLike<number>): void {
    for (const part of [this.value, this.low, this.high])
      for (let i = 0; i < part.length && i < values.length; i++) part[i] = values[i]!;
  }

  /** Are the numbers at these places exact, and none so small that it may count as 0? */
  arePlain(places: Int32Array): boolean {
    return places.every((at) => {
      const value = this.value[at]!;
      return value === this.low[at] && value === this.high[at] && (value === 0 || Math.abs(value) >= smallestNormal);
    });
  }

  take(to: number, other: Cells, from: number): void {
    this.value[to] = other.value[from]!;
    this.low[to] = other.low[from]!;
    this.high[to] = other.high[from]!;
  }
}

/** Where in its buffer each element of a view lies, in row-major order. */
export function positionsOf({ offset, shape, strides }: Pick<View, 'offset' | 'shape' | 'strides'>): Int32Array {
  let positions = Int32Array.of(offset);
  shape.forEach((size, axis) => {
    const stride = strides[axis]!;
    const next = new Int32Array(positions.length * size);
    for (let i = 0, to = 0; i < positions.length; i++)
      for (let j = 0; j < size; j++) next[to++] = positions[i]! + j * stride;
    positions = next;
  });
  return positions;
}

/** How many elements a buffer must have for a view to lie in it. */
export const extentOf = ({ offset, shape, strides }: View): number =>
  shape.includes(0)
    ? 0
    : 1 + shape.reduce((last, size, axis) => last + (size - 1) * Math.max(0, strides[axis]!), offset);
