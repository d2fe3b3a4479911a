// The six primitives over bounded numbers. Sums are exact in f64; their bounds grow by what adding in any order may do.
import { computeType, elements, expr as exprs, storageBlock } from '@transept/tensor';
import type { Arithmetic, Call, Expr, Plan, ScalarRef, View } from '@transept/tensor';
import { gamma, largest, smallestNormal, sumError, wholeNumberStep } from '../bounds.ts';
import { anything, applyFloat, isAnything, operand, stored, widened } from './bounded.ts';
import type { Bounded } from './bounded.ts';
import { positionsOf } from './cells.ts';
import type { Cells } from './cells.ts';
import { compileBounded } from './expression.ts';

/** What a call runs in. */
export interface Scope {
  readonly plan: Plan;
  readonly memory: (view: View) => Cells;
  readonly scalars: readonly Bounded[];
  readonly arithmetic: Arithmetic;
  /** Further error of each exponential, in ULP: see `rescaling`. */
  readonly expUlps: number;
}

export type Run = (call: Call, scope: Scope) => void;

const pointwise: Run = ({ inputs, output, attrs }, scope) => {
  const { plan, memory, scalars, arithmetic, expUlps } = scope;
  const first = inputs.map((v) => inputs.findIndex((w) => sameView(v, w)));
  const evaluate = compileBounded(
    exprs.substitute(attrs['expr'] as Expr, (i) => exprs.input(first[i]!)),
    {
      types: { inputs: inputs.map((v) => computeType(v.dtype)), scalars: plan.scalars.map((s) => s.dtype) },
      arithmetic,
      expUlps,
    },
  );
  const cells = inputs.map(memory);
  const places = inputs.map(positionsOf);
  const out = memory(output);
  const digits = output.shape.map((_, axis) => elements(output.shape.slice(axis + 1)));
  const position = new Int32Array(output.shape.length);
  positionsOf(output).forEach((to, i) => {
    for (let axis = 0; axis < position.length; axis++)
      position[axis] = Math.floor(i / digits[axis]!) % output.shape[axis]!;
    out.set(
      to,
      stored(evaluate({ inputs: cells.map((c, k) => c.get(places[k]![i]!)), position, scalars }), output.dtype),
    );
  });
};

const sameView = (a: View, b: View): boolean =>
  a.buffer === b.buffer && a.offset === b.offset && a.strides.every((s, i) => s === b.strides[i]);

const reduce: Run = ({ inputs: [x], output, attrs }, { memory, arithmetic }) => {
  const kept = output.shape.length;
  const inner = positionsOf({ offset: 0, shape: x!.shape.slice(kept), strides: x!.strides.slice(kept) });
  const outer = positionsOf({ offset: x!.offset, shape: output.shape, strides: x!.strides.slice(0, kept) });
  const from = memory(x!);
  const out = memory(output);
  const fold = x!.dtype === 'i32' ? integerFolds[attrs['fn'] as keyof typeof integerFolds] : undefined;
  const bounded = floatFolds[attrs['fn'] as keyof typeof floatFolds];
  positionsOf(output).forEach((to, i) => {
    const at = inner.map((p) => p + outer[i]!);
    if (fold) {
      let total = fold.start;
      for (const p of at) total = fold.fold(total, from.value[p]!);
      out.set(to, { value: total, low: total, high: total });
    } else out.set(to, stored(bounded(from, at, arithmetic), output.dtype));
  });
};

const integerFolds = {
  sum: { start: 0, fold: (a: number, b: number) => (a + b) | 0 },
  prod: { start: 1, fold: (a: number, b: number) => Math.imul(a, b) },
  max: { start: -(2 ** 31), fold: (a: number, b: number) => Math.max(a, b) },
  min: { start: 2 ** 31 - 1, fold: (a: number, b: number) => Math.min(a, b) },
};

type FloatFold = (from: Cells, at: Int32Array, arithmetic: Arithmetic) => Bounded;

const floatFolds: Readonly<Record<'sum' | 'prod' | 'max' | 'min', FloatFold>> = {
  sum(from, at, arithmetic) {
    let [value, low, high, size] = [0, 0, 0, 0];
    for (const p of at) {
      const x = operand(from.get(p));
      value += x.value;
      low += x.low;
      high += x.high;
      size += Math.max(Math.abs(x.low), Math.abs(x.high));
    }
    if (!Number.isFinite(value)) return { value, low: value, high: value };
    const error = at.length > 1 ? sumError(at.length, arithmetic) * size : 0;
    return size > largest ? anything(value) : widened(value, low - error, high + error);
  },
  prod(from, at, arithmetic) {
    let total: Bounded = { value: 1, low: 1, high: 1 };
    for (const p of at) total = applyFloat('mul', [total, operand(from.get(p))], (a, b) => a! * b!, arithmetic);
    if (isAnything(total) || !Number.isFinite(total.value)) return total;
    const error = gamma(at.length, arithmetic) * Math.abs(total.value);
    return widened(total.value, total.low - error, total.high + error);
  },
  max: extreme(Math.max, -Infinity),
  min: extreme(Math.min, Infinity),
};

function extreme(choose: (a: number, b: number) => number, start: number): FloatFold {
  return (from, at) => {
    let [value, low, high] = [start, start, start];
    for (const p of at) {
      const x = operand(from.get(p));
      value = choose(value, x.value);
      low = choose(low, x.low);
      high = choose(high, x.high);
    }
    return Number.isNaN(value) ? anything(value) : { value, low, high };
  };
}

const matmul: Run = ({ inputs: [a, b], output }, { plan, memory, arithmetic }) => {
  const block = wholeNumberBlock(plan, b!);
  const [m, k, n] = [a!.shape.at(-2)!, a!.shape.at(-1)!, b!.shape.at(-1)!];
  const lead = ({ offset, shape, strides }: View): Int32Array =>
    positionsOf({ offset, shape: shape.slice(0, -2), strides: strides.slice(0, -2) });
  const [left, right, out] = [memory(a!), memory(b!), memory(output)];
  const [am, ak, bk, bn] = [a!.strides.at(-2)!, a!.strides.at(-1)!, b!.strides.at(-2)!, b!.strides.at(-1)!];
  const [as, bs] = [lead(a!), lead(b!)];
  const error = sumError(k, arithmetic);
  const plain = block === undefined && left.arePlain(positionsOf(a!)) && right.arePlain(positionsOf(b!));
  let to = output.offset;
  for (let batch = 0; batch < as.length; batch++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let [value, size, reach] = [0, 0, 0];
        let largestOfBlock = 0;
        for (let l = 0, p = as[batch]! + i * am, q = bs[batch]! + j * bn; l < k; l++, p += ak, q += bk) {
          const [x, y] = [left.value[p]!, right.value[q]!];
          const product = x * y;
          value += product;
          size += Math.abs(product);
          if (plain) continue;
          if (block && l % block === 0) largestOfBlock = largestFrom(left.value, p, ak, Math.min(block, k - l));
          const [rx, ry] = [reachOf(left, p, x) + largestOfBlock * wholeNumberStep, reachOf(right, q, y)];
          if (rx + ry > 0) reach += rx * Math.abs(y) + ry * Math.abs(x) + rx * ry;
        }
        // Each product may be lost below the smallest normal number.
        const e = error * (size + reach) + reach + (size > 0 ? k * smallestNormal : 0);
        const result = size > largest ? anything(value) : widened(value, value - e, value + e);
        out.set(to++, stored(Number.isFinite(value) ? result : { value, low: value, high: value }, output.dtype));
      }
};

/** How many elements share a scale where an operand is stored as whole numbers. */
function wholeNumberBlock({ buffers }: Plan, { buffer }: View): number | undefined {
  const planned = buffers[buffer];
  const stored = planned?.kind === 'bound' ? planned.stored : undefined;
  return stored === 'q8' || stored === 'q4' ? storageBlock[stored].elements : undefined;
}

function largestFrom(values: Float64Array, start: number, stride: number, count: number): number {
  let most = 0;
  for (let i = 0; i < count; i++) most = Math.max(most, Math.abs(values[start + i * stride]!));
  return most;
}

/** How far a correct operand may be from its exact value. */
function reachOf(cells: Cells, at: number, value: number): number {
  const [below, above] = [value - cells.low[at]!, cells.high[at]! - value];
  const reach = below > above ? below : above;
  return value !== 0 && Math.abs(value) < smallestNormal ? Math.max(reach, Math.abs(value)) : reach;
}

const startOf = (start: number | ScalarRef, { scalars }: Scope): number =>
  typeof start === 'number' ? start : scalars[start.scalar]!.value;

/** Positions of what a row of a view holds, from the row's first element on. */
const rowOf = ({ shape, strides }: View, axes = 1): Int32Array =>
  positionsOf({ offset: 0, shape: shape.slice(axes), strides: strides.slice(axes) });

const gather: Run = ({ inputs: [table, indices], output, attrs }, scope) => {
  const [from, out] = [scope.memory(table!), scope.memory(output)];
  const wanted = indices
    ? Array.from(positionsOf(indices), (p) => scope.memory(indices).value[p]!)
    : Array.from(
        { length: attrs['count'] as number },
        (_, i) => startOf(attrs['start'] as number | ScalarRef, scope) + i,
      );
  const row = rowOf(table!);
  let to = output.offset;
  for (const index of wanted) {
    const clamped = Math.min(Math.max(index, 0), table!.shape[0]! - 1);
    for (const p of row) out.take(to++, from, table!.offset + clamped * table!.strides[0]! + p);
  }
};

const scatter: Run = ({ inputs: [updates, indices], output, attrs }, scope) => {
  const [from, out] = [scope.memory(updates!), scope.memory(output)];
  const start = indices ? 0 : startOf(attrs['start'] as number | ScalarRef, scope);
  const [source, target] = [rowOf(updates!), rowOf(output)];
  const float = computeType(output.dtype) === 'f32';
  const wrap = output.dtype === 'u32' ? (x: number) => x >>> 0 : (x: number) => x | 0;
  for (let i = 0; i < updates!.shape[0]!; i++) {
    const row = indices ? scope.memory(indices).value[indices.offset + i * indices.strides[0]!]! : start + i;
    if (row < 0 || row >= output.shape[0]!) continue;
    source.forEach((p, column) => {
      const at = updates!.offset + i * updates!.strides[0]! + p;
      const to = output.offset + row * output.strides[0]! + target[column]!;
      if (attrs['mode'] !== 'add')
        return output.dtype === updates!.dtype
          ? out.take(to, from, at)
          : out.set(to, stored(from.get(at), output.dtype));
      const [old, more] = [operand(out.get(to)), operand(from.get(at))];
      const sum = (a = 0, b = 0): number => a + b;
      if (float) return out.set(to, stored(applyFloat('add', [old, more], sum, scope.arithmetic), output.dtype));
      const total = wrap(old.value + more.value);
      return out.set(to, { value: total, low: total, high: total });
    });
  }
};

const copy: Run = ({ inputs: [x], output }, { memory }) => {
  const [from, out] = [memory(x!), memory(output)];
  const source = positionsOf(x!);
  positionsOf(output).forEach((to, i) => out.take(to, from, source[i]!));
};

export const primitives = { pointwise, reduce, matmul, gather, scatter, copy } as const;
