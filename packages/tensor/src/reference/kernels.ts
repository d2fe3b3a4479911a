// The six primitives in plain TypeScript, sums in f64: the meaning of every kernel, the oracle of every test, and the
// smallest example of what a backend has to provide.
import type { Kernel, Kernels } from '../backend.ts';
import { computeType } from '../dtype.ts';
import type { Expr } from '../expr.ts';
import type { Call, Plan, ScalarRef, View } from '../plan.ts';
import { elements, whole } from '../shape.ts';
import type { Layout, Shape } from '../shape.ts';
import { compile } from './evaluate.ts';
import type { Elements } from './memory.ts';

/** A call made ready: given the memory behind views, it gives the function that does the work. */
export type Step = (memory: (view: View) => Elements) => (scalars: ArrayLike<number>) => void;

const kernel = (prepare: (call: Call, plan: Plan) => Step): Kernel<Step> => ({ prepare, epilogue: false });

/** Visit every position of a shape in row-major order; `at[k]` is where layout k has it. */
function each(shape: Shape, layouts: readonly Layout[], visit: (at: Int32Array, position: Int32Array) => void): void {
  const at = Int32Array.from(layouts, (l) => l.offset);
  const position = new Int32Array(shape.length);
  for (let left = elements(shape); left > 0; left--) {
    visit(at, position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const wraps = ++position[axis]! === shape[axis];
      if (wraps) position[axis] = 0;
      for (let k = 0; k < layouts.length; k++) at[k]! += layouts[k]!.strides[axis]! * (wraps ? 1 - shape[axis]! : 1);
      if (!wraps) break;
    }
  }
}

const valueOf = (value: number | ScalarRef, scalars: ArrayLike<number>): number =>
  typeof value === 'number' ? value : scalars[value.scalar]!;

const pointwise = kernel(({ inputs, output, attrs }, plan) => {
  const evaluate = compile(attrs['expr'] as Expr, {
    inputs: inputs.map((v) => computeType(v.dtype)),
    scalars: plan.scalars.map((s) => s.dtype),
  });
  return (memory) => {
    const [out, ins] = [memory(output), inputs.map(memory)];
    const values = new Float64Array(inputs.length);
    return (scalars) =>
      each(output.shape, [output, ...inputs], (at, position) => {
        for (let k = 0; k < ins.length; k++) values[k] = ins[k]![at[k + 1]!]!;
        out[at[0]!] = evaluate({ inputs: values, position, scalars });
      });
  };
});

const folds = {
  sum: { start: 0, fold: (a: number, b: number) => a + b },
  prod: { start: 1, fold: (a: number, b: number) => a * b },
  max: { start: -Infinity, fold: (a: number, b: number) => Math.max(a, b) },
  min: { start: Infinity, fold: (a: number, b: number) => Math.min(a, b) },
};

const reduce = kernel(({ inputs: [x], output, attrs }) => {
  const { start, fold } = folds[attrs['fn'] as keyof typeof folds];
  const kept = output.shape.length;
  const inner: Layout = { offset: 0, shape: x!.shape.slice(kept), strides: x!.strides.slice(kept) };
  const outer: Layout = { offset: x!.offset, shape: output.shape, strides: x!.strides.slice(0, kept) };
  return (memory) => {
    const [out, from] = [memory(output), memory(x!)];
    return () =>
      each(output.shape, [output, outer], (to) => {
        let total = start;
        each(inner.shape, [inner], (at) => (total = fold(total, from[to[1]! + at[0]!]!)));
        out[to[0]!] = total;
      });
  };
});

const matmul = kernel(({ inputs: [a, b], output }) => {
  const [m, k, n] = [a!.shape.at(-2)!, a!.shape.at(-1)!, b!.shape.at(-1)!];
  const lead = ({ offset, shape, strides }: View): Layout => ({
    offset,
    shape: shape.slice(0, -2),
    strides: strides.slice(0, -2),
  });
  const [am, ak] = a!.strides.slice(-2) as [number, number];
  const [bk, bn] = b!.strides.slice(-2) as [number, number];
  const [om, on] = output.strides.slice(-2) as [number, number];
  return (memory) => {
    const [out, left, right] = [memory(output), memory(a!), memory(b!)];
    const row = new Float64Array(k);
    return () =>
      each(output.shape.slice(0, -2), [output, a!, b!].map(lead), (at) => {
        for (let i = 0; i < m; i++) {
          for (let l = 0; l < k; l++) row[l] = left[at[1]! + i * am + l * ak]!;
          for (let j = 0; j < n; j++) {
            let total = 0;
            for (let l = 0, q = at[2]! + j * bn; l < k; l++, q += bk) total += row[l]! * right[q]!;
            out[at[0]! + i * om + j * on] = total;
          }
        }
      });
  };
});

/** Row `i` of something as a layout of what a row holds. */
const rowOf = ({ shape, strides }: Layout, axes = 1): Layout => ({
  offset: 0,
  shape: shape.slice(axes),
  strides: strides.slice(axes),
});

const gather = kernel(({ inputs: [table, indices], output, attrs }) => {
  const places = indices ?? { ...whole([attrs['count'] as number]) };
  const axes = places.shape.length;
  const target: Layout = { offset: output.offset, shape: places.shape, strides: output.strides.slice(0, axes) };
  return (memory) => {
    const [out, from] = [memory(output), memory(table!)];
    const numbers = indices && memory(indices);
    return (scalars) => {
      const start = indices ? 0 : valueOf(attrs['start'] as number | ScalarRef, scalars);
      each(places.shape, [target, places], (to) => {
        const wanted = numbers ? numbers[to[1]!]! : start + to[1]!;
        const row = Math.min(Math.max(wanted, 0), table!.shape[0]! - 1);
        each(table!.shape.slice(1), [rowOf(output, axes), rowOf(table!)], (at) => {
          out[to[0]! + at[0]!] = from[table!.offset + row * table!.strides[0]! + at[1]!]!;
        });
      });
    };
  };
});

const scatter = kernel(({ inputs: [updates, indices], output, attrs }) => (memory) => {
  const [out, from] = [memory(output), memory(updates!)];
  const numbers = indices && memory(indices);
  const adds = attrs['mode'] === 'add';
  return (scalars) => {
    const start = indices ? 0 : valueOf(attrs['start'] as number | ScalarRef, scalars);
    for (let i = 0; i < updates!.shape[0]!; i++) {
      const row = numbers ? numbers[indices!.offset + i * indices!.strides[0]!]! : start + i;
      if (row < 0 || row >= output.shape[0]!) continue;
      each(updates!.shape.slice(1), [rowOf(output), rowOf(updates!)], (at) => {
        const to = output.offset + row * output.strides[0]! + at[0]!;
        const value = from[updates!.offset + i * updates!.strides[0]! + at[1]!]!;
        out[to] = adds ? out[to]! + value : value;
      });
    }
  };
});

const copy = kernel(({ inputs: [x], output }) => (memory) => {
  const [out, from] = [memory(output), memory(x!)];
  return () => each(output.shape, [output, x!], (at) => (out[at[0]!] = from[at[1]!]!));
});

export const primitives: Kernels<Step> = { pointwise, reduce, matmul, gather, scatter, copy };
