// Shapes, strides and views: which element of a buffer an index means. Everything counts in elements, not bytes.
import { ShapeError } from './errors.ts';

export type Shape = readonly number[];

/** How a tensor lies over memory: element `[i, j, …]` is at `offset + i·strides[0] + j·strides[1] + …`. */
export interface Layout {
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Number of elements. */
export const elements = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

/** Row-major strides. */
export function rowMajor(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, n = 1; i >= 0; n *= shape[i--]!) strides[i] = n;
  return strides;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** The layout of a whole contiguous tensor. */
export const whole = (shape: Shape): Layout => ({ offset: 0, shape, strides: rowMajor(shape) });

/** Do consecutive elements lie next to each other? Strides of axes of size one do not matter. */
export function isContiguous({ shape, strides }: Layout): boolean {
  for (let i = shape.length - 1, n = 1; i >= 0; n *= shape[i--]!) if (shape[i] !== 1 && strides[i] !== n) return false;
  return true;
}

/** Do two layouts mean the same elements in the same order and shape? */
export const sameLayout = (a: Layout, b: Layout): boolean =>
  a.offset === b.offset &&
  sameShape(a.shape, b.shape) &&
  a.shape.every((d, i) => d === 1 || a.strides[i] === b.strides[i]);

/** The position from the end or the start as a position from the start. */
export function axisIndex(op: string, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || at < 0 || at >= rank)
    throw new ShapeError(`${op}: no such axis: ${axis}; a tensor of rank ${rank} has axes ${-rank} to ${rank - 1}`);
  return at;
}

/** The shape that broadcasting gives: right-aligned, where a size of one stretches. */
export function broadcastShapes(op: string, ...shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    shape.forEach((d, i) => {
      const at = rank - shape.length + i;
      if (d === 1 || d === out[at]) return;
      if (out[at] !== 1)
        throw new ShapeError(
          `${op}: shapes do not broadcast: ${shapes.map(formatShape).join(' and ')}; sizes of an axis must be equal or 1`,
        );
      out[at] = d;
    });
  return out;
}

/** Stretch axes of size one and add leading axes, by strides of zero. */
export function broadcastLayout(op: string, from: Layout, shape: Shape): Layout {
  const lead = shape.length - from.shape.length;
  if (lead < 0)
    throw new ShapeError(
      `${op}: cannot broadcast ${formatShape(from.shape)} to ${formatShape(shape)}: it has more axes`,
    );
  const strides = shape.map((d, i) => {
    if (i < lead) return 0;
    if (from.shape[i - lead] === d) return from.strides[i - lead]!;
    if (from.shape[i - lead] === 1) return 0;
    throw new ShapeError(
      `${op}: cannot broadcast ${formatShape(from.shape)} to ${formatShape(shape)}: axis ${i} is ${from.shape[i - lead]}; expected 1 or ${d}`,
    );
  });
  return { offset: from.offset, shape, strides };
}

/** Another shape over the same elements in the same order, or undefined where only a copy could give it. */
export function reshapeLayout(from: Layout, shape: Shape): Layout | undefined {
  if (elements(shape) === 0 || isContiguous(from)) return { offset: from.offset, shape, strides: rowMajor(shape) };
  const old = from.shape.map((d, i) => [d, from.strides[i]!] as const).filter(([d]) => d !== 1);
  const strides = new Array<number>(shape.length).fill(0);
  let o = 0;
  let n = 0;
  while (n < shape.length) {
    if (shape[n] === 1) {
      n++;
      continue;
    }
    // Match the smallest group of new axes with the smallest group of old axes of equal size.
    let oEnd = o;
    let nEnd = n;
    let oldSize = old[oEnd++]![0];
    let newSize = shape[nEnd++]!;
    while (oldSize !== newSize) {
      if (newSize < oldSize) newSize *= shape[nEnd++]!;
      else oldSize *= old[oEnd++]![0];
    }
    for (let i = o; i + 1 < oEnd; i++) if (old[i]![1] !== old[i + 1]![0] * old[i + 1]![1]) return undefined;
    for (let i = nEnd - 1, stride = old[oEnd - 1]![1]; i >= n; stride *= shape[i--]!) strides[i] = stride;
    o = oEnd;
    n = nEnd;
  }
  return { offset: from.offset, shape, strides };
}

/** Merge neighbouring axes that every one of some equally shaped layouts can merge, and drop axes of size one. */
export function collapse(layouts: readonly Layout[]): { shape: number[]; strides: number[][] } {
  const shape: number[] = [];
  const strides: number[][] = layouts.map(() => []);
  layouts[0]?.shape.forEach((d, axis) => {
    if (d === 1) return;
    const last = shape.length - 1;
    const merges = last >= 0 && layouts.every((l, k) => strides[k]![last] === l.strides[axis]! * d);
    if (merges) shape[last]! *= d;
    else shape.push(d);
    layouts.forEach((l, k) => {
      if (merges) strides[k]![last] = l.strides[axis]!;
      else strides[k]!.push(l.strides[axis]!);
    });
  });
  return { shape, strides };
}

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;
