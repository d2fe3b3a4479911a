// Index arithmetic of shaders: where in its buffer an element of a view lies, from the coordinates an invocation has.
// Shapes and strides are constants; everything counts in u32, and negative strides work because u32 wraps.
import { collapse } from '@transept/tensor';
import type { Layout, Shape } from '@transept/tensor';

/** Consecutive axes of a shape and the joint row-major position in them, an identifier or a bracketed expression. */
export interface Span {
  readonly axes: number;
  readonly at: string;
}

export const u32 = (value: number): string => `${value >>> 0}u`;

/** The position in the buffer of the element at the given coordinates. The spans cover all axes. */
export function address({ offset, shape, strides }: Layout, spans: readonly Span[]): string {
  const terms: string[] = [];
  let axis = 0;
  for (const { axes, at } of spans) {
    const layout = { offset: 0, shape: shape.slice(axis, axis + axes), strides: strides.slice(axis, axis + axes) };
    const flat = collapse([layout]);
    axis += axes;
    let inner = 1;
    for (let i = flat.shape.length - 1; i >= 0; i--) {
      const size = flat.shape[i]!;
      const stride = flat.strides[0]![i]!;
      if (stride !== 0) terms.push(scaled(digit(at, inner, i === 0 ? undefined : size), stride));
      inner *= size;
    }
  }
  if (offset !== 0 || terms.length === 0) terms.push(u32(offset));
  return terms.join(' + ');
}

/** The coordinate along one axis. */
export function coordinate(shape: Shape, axis: number, spans: readonly Span[]): string {
  let first = 0;
  for (const { axes, at } of spans) {
    if (axis < first + axes) {
      const inner = shape.slice(axis + 1, first + axes).reduce((n, d) => n * d, 1);
      return digit(at, inner, axis === first ? undefined : shape[axis]);
    }
    first += axes;
  }
  return '0u';
}

/** One past the last element that a view reaches in its buffer. */
export const extent = ({ offset, shape, strides }: Layout): number =>
  shape.reduce((last, d, i) => last + Math.max(0, (d - 1) * strides[i]!), offset) + 1;

const digit = (at: string, inner: number, size: number | undefined): string => {
  const quotient = inner === 1 ? at : `(${at} / ${u32(inner)})`;
  return size === undefined ? quotient : `(${quotient} % ${u32(size)})`;
};
const scaled = (at: string, stride: number): string => (stride === 1 ? at : `${at} * ${u32(stride)}`);
