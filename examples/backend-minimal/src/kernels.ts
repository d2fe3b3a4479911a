// The six primitives. A kernel is prepared once for each call of a plan: it works out where the elements lie. Given the memory, it
// returns the function that does the work, again and again.
import { computeType, elements } from '@transept/tensor';
import type { Call, Expr, Kernel, Kernels, Layout, Plan, ScalarRef, View } from '@transept/tensor';
import { compile } from './expression.ts';
import type { Leaf, Value } from './expression.ts';
import type { Elements } from './memory.ts';

/** What a program gives its steps: the memory behind a view, and the scalars of the current run. */
export interface Bound {
  memory(view: View): Elements;
  readonly scalars: Float64Array;
}

export type Step = (bound: Bound) => () => void;

/** Where the elements of a layout lie, one after the other. */
function positions({ offset, shape, strides }: Layout): Int32Array {
  let at = Int32Array.of(offset);
  shape.forEach((size, axis) => {
    const stride = strides[axis]!;
    const next = new Int32Array(at.length * size);
    for (let i = 0, n = 0; i < at.length; i++) for (let j = 0; j < size; j++) next[n++] = at[i]! + j * stride;
    at = next;
  });
  return at;
}

/** The axes of a layout up to `to`; or without `to` those after them, counted from the element that the first ones lead to. */
const axesOf = ({ offset, shape, strides }: Layout, from: number, to?: number): Layout => ({
  offset: to === undefined ? 0 : offset,
  shape: shape.slice(from, to),
  strides: strides.slice(from, to),
});

const prepared = (prepare: (call: Call, plan: Plan) => Step): Kernel<Step> => ({ prepare });

const copy = prepared(({ inputs, output }) => {
  const [x] = inputs as [View];
  const [to, from] = [positions(output), positions(x)];
  return (bound) => {
    const [out, source] = [bound.memory(output), bound.memory(x)];
    return () => to.forEach((t, i) => (out[t] = source[from[i]!]!));
  };
});

const pointwise = prepared(({ inputs, output, attrs }, plan) => {
  const [to, ...from] = [output, ...inputs].map(positions) as [Int32Array, ...Int32Array[]];
  return (bound) => {
    const [out, ...sources] = [output, ...inputs].map(bound.memory) as [Elements, ...Elements[]];
    const leaf = (leaf: Leaf): Value => {
      if (leaf.kind === 'scalar')
        return { type: plan.scalars[leaf.scalar]!.dtype, at: () => bound.scalars[leaf.scalar]! };
      if (leaf.kind === 'index') {
        const [size, inner] = [output.shape[leaf.axis]!, elements(output.shape.slice(leaf.axis + 1))];
        return { type: 'i32', at: (i) => Math.floor(i / inner) % size };
      }
      const [source, at] = [sources[leaf.index]!, from[leaf.index]!];
      return { type: computeType(inputs[leaf.index]!.dtype), at: (i) => source[at[i]!]! };
    };
    const { at } = compile(attrs['expr'] as Expr, leaf);
    return () => to.forEach((t, i) => (out[t] = at(i)));
  };
});

const folds = {
  sum: { start: 0, fold: (a: number, b: number) => a + b },
  prod: { start: 1, fold: (a: number, b: number) => a * b },
  max: { start: -Infinity, fold: Math.max },
  min: { start: Infinity, fold: Math.min },
};

const reduce = prepared(({ inputs, output, attrs }) => {
  const [[x], kept] = [inputs as [View], output.shape.length];
  const { start, fold } = folds[attrs['fn'] as keyof typeof folds];
  const [groups, members] = [positions(axesOf(x, 0, kept)), positions(axesOf(x, kept))];
  return (bound) => {
    const [out, source] = [bound.memory(output), bound.memory(x)];
    return () =>
      groups.forEach((group, i) => {
        let total = start;
        for (const member of members) total = fold(total, source[group + member]!);
        out[output.offset + i] = total;
      });
  };
});

const matmul = prepared(({ inputs, output }) => {
  const [a, b] = inputs as [View, View];
  const [M, K, N] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const [aMatrices, bMatrices] = [positions(axesOf(a, 0, -2)), positions(axesOf(b, 0, -2))];
  const [aRow, aColumn] = a.strides.slice(-2) as [number, number];
  const [bRow, bColumn] = b.strides.slice(-2) as [number, number];
  return (bound) => {
    const [out, left, right] = [bound.memory(output), bound.memory(a), bound.memory(b)];
    return () => {
      let o = output.offset;
      aMatrices.forEach((aStart, matrix) => {
        for (let m = 0; m < M; m++)
          for (let n = 0; n < N; n++) {
            let [l, r, total] = [aStart + m * aRow, bMatrices[matrix]! + n * bColumn, 0];
            for (let k = 0; k < K; k++, l += aColumn, r += bRow) total += left[l]! * right[r]!;
            out[o++] = total;
          }
      });
    };
  };
});

/** The row that gather reads and scatter writes for the i-th one: by index, or counted from `start` on. */
function rowNumber({ inputs: [, indices], attrs }: Call, bound: Bound): (i: number) => number {
  if (indices) {
    const [at, numbers] = [positions(indices), bound.memory(indices)];
    return (i) => numbers[at[i]!]!;
  }
  const start = attrs['start'] as number | ScalarRef;
  return typeof start === 'number' ? (i) => start + i : (i) => bound.scalars[start.scalar]! + i;
}

const gather = prepared((call) => {
  const { inputs, output } = call;
  const [table] = inputs as [View];
  const row = positions(axesOf(table, 1));
  const [count, last] = [elements(output.shape) / row.length, table.shape[0]! - 1];
  return (bound) => {
    const [out, source, number] = [bound.memory(output), bound.memory(table), rowNumber(call, bound)];
    return () => {
      for (let i = 0, o = output.offset; i < count; i++) {
        const from = table.offset + Math.min(Math.max(number(i), 0), last) * table.strides[0]!;
        for (const at of row) out[o++] = source[from + at]!;
      }
    };
  };
});

const scatter = prepared((call) => {
  const { inputs, output, attrs } = call;
  const [updates] = inputs as [View];
  const [to, from] = [positions(axesOf(output, 1)), positions(axesOf(updates, 1))];
  const adds = attrs['mode'] === 'add';
  return (bound) => {
    const [out, source, number] = [bound.memory(output), bound.memory(updates), rowNumber(call, bound)];
    return () => {
      for (let i = 0; i < updates.shape[0]!; i++) {
        if (number(i) < 0 || number(i) >= output.shape[0]!) continue;
        const [a, b] = [output.offset + number(i) * output.strides[0]!, updates.offset + i * updates.strides[0]!];
        to.forEach((at, j) => (out[a + at] = (adds ? out[a + at]! : 0) + source[b + from[j]!]!));
      }
    };
  };
});

export const kernels: Kernels<Step> = { pointwise, reduce, matmul, gather, scatter, copy };
