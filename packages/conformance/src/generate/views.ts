// Tensors of a given shape that lie in memory in some random way: axes in another order, parts of something larger, stretched.
import { broadcastTo, slice, transpose } from '@transept/tensor';
import type { DType, Graph, Shape, Tensor } from '@transept/tensor';
import type { Choices } from './choices.ts';

/** Makes an input of a name whose elements are seen in a shape. */
export type Source = (g: Graph, name: string, dtype?: DType) => Tensor;

/** A random way for a tensor of a shape to lie in memory. Axes are stretched only where `stretch` allows it. */
export function someView(choices: Choices, shape: Shape, { stretch = true } = {}): Source {
  const axes = shape.map((size) => ({
    size,
    stretched: stretch && choices.once(6),
    before: choices.once(4) ? choices.integer(1, 3) : 0,
    after: choices.once(4) ? choices.integer(1, 3) : 0,
    step: choices.once(5) ? choices.integer(2, 3) : 1,
  }));
  const order = choices.once(3) ? choices.order(shape.length) : [...shape.keys()];
  return (g, name, dtype = 'f32') => {
    const stored = axes.map(
      ({ size, stretched, before, after, step }) => before + ((stretched ? 1 : size) - 1) * step + 1 + after,
    );
    const base = g.input(
      name,
      order.map((axis) => Math.max(1, stored[axis]!)),
      dtype,
    );
    const back = shape.map((_, axis) => order.indexOf(axis));
    let view = shape.length > 1 ? transpose(base, back) : base;
    axes.forEach(({ size, stretched, before, step }, axis) => {
      const count = stretched ? 1 : size;
      view = slice(view, axis, before, count === 0 ? before : before + (count - 1) * step + 1, step);
    });
    return broadcastTo(view, shape);
  };
}

/** A random shape of at most `most` elements. */
export function someShape(choices: Choices, { least = 1, axes = 4, most = 3000 } = {}): number[] {
  const shape: number[] = [];
  const count = choices.integer(least, axes);
  for (let axis = 0, room = most; axis < count; axis++) {
    const size = choices.size(Math.max(1, Math.min(130, room)));
    shape.push(size);
    room = Math.floor(room / size);
  }
  return shape;
}
