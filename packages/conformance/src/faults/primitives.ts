// Faults of the six primitives: what goes wrong with strides, edges, tiles, accumulators, indices and types.
import { elements, expr, rowMajor } from '@transept/tensor';
import type { Attr, Call, Expr, ScalarFn, View } from '@transept/tensor';
import type { KernelFault, Spoils } from './fault.ts';
import { rewrite } from './sound.ts';

const { apply, constant, input } = expr;

type Parts = Omit<KernelFault, 'op' | 'name'>;
const of = (op: KernelFault['op'], faults: Readonly<Record<string, Parts>>): KernelFault[] =>
  Object.entries(faults).map(([name, parts]) => ({ op, name, ...parts }));

/** Another view in the place of an input. */
const seen = (which: number, change: (view: View) => View): Parts => ({
  call: (call) => ({ ...call, inputs: call.inputs.map((view, i) => (i === which ? change(view) : view)) }),
});
const allSeen = (change: (view: View) => View): Parts => ({
  call: (call) => ({ ...call, inputs: call.inputs.map(change) }),
});
const attrs = (change: (attrs: Call['attrs']) => Readonly<Record<string, Attr>>): Parts => ({
  call: (call) => ({ ...call, attrs: change(call.attrs) }),
});

const lastTwoSwapped = (view: View): View =>
  view.shape.length < 2
    ? view
    : { ...view, strides: [...view.strides.slice(0, -2), view.strides.at(-1)!, view.strides.at(-2)!] };

/** Elements, by their number, that were never written. */
const missing = (test: (i: number, call: Call, count: number) => boolean): Parts => ({
  spoil: ({ call, out, before, at }) =>
    at.forEach((place, i) => test(i, call, at.length) && (out[place] = before[place]!)),
});
const values = (
  change: (x: number, spoils: Spoils, i: number) => number,
  types: readonly string[] = ['f32'],
): Parts => ({
  spoil: (s) => {
    if (types.includes(s.call.output.dtype)) s.at.forEach((place, i) => (s.out[place] = change(s.out[place]!, s, i)));
  },
});

/** Every use of a function replaced in the expression of a pointwise call. */
const fn = (name: ScalarFn, change: (args: readonly Expr[], type: string) => Expr): Parts => ({
  call: (call) => {
    const type = call.inputs[0]?.dtype ?? 'f32';
    const replaced = rewrite(call.attrs['expr'] as Expr, (e) =>
      e.kind === 'apply' && e.fn === name ? change(e.args, type) : e,
    );
    return { ...call, attrs: { ...call.attrs, expr: replaced } };
  },
});
const f16 = (x: number): number => Math.f16round(x);
const columns = (call: Call): number => call.output.shape.at(-1) ?? 1;
const isFloat = (call: Call): boolean => call.output.dtype === 'f32';

const copyFaults = of('copy', {
  'rows and columns swapped': seen(0, lastTwoSwapped),
  'offsets rounded down to four elements': seen(0, (v) => ({ ...v, offset: v.offset & ~3 })),
  'strides taken for contiguous': seen(0, (v) => ({ ...v, strides: rowMajor(v.shape) })),
  'the last element missing': missing((i, _, n) => i === n - 1),
  'elements from 1024 on missing': missing((i) => i >= 1024),
  'one element too many written': { spoil: ({ out, at }) => void (out[Math.max(...at) + 1] = 0) },
  'one element before the first written': {
    spoil: ({ out, at }) => void (at.length > 0 && (out[Math.min(...at) - 1] = 0)),
  },
  'the input overwritten': { spoil: ({ call, memory }) => void (memory(call.inputs[0]!)[call.inputs[0]!.offset] = 0) },
  'rounded to f16': values(f16),
  'NaN swallowed': values((x) => (Number.isNaN(x) ? 0 : x)),
  'Inf made finite': values((x) => Math.max(-3.4e38, Math.min(3.4e38, x))),
  'whole numbers through f32': values(Math.fround, ['i32', 'u32']),
});

const pointwiseFaults = of('pointwise', {
  'broadcast ignored': allSeen((v) =>
    v.strides.includes(0)
      ? {
          ...v,
          strides: rowMajor(v.shape).map((s, axis) => (v.strides[axis] === 0 && axis < v.shape.length - 1 ? 0 : s)),
        }
      : v,
  ),
  'strided output written in one piece': {
    call: (call) => ({ ...call, output: { ...call.output, strides: rowMajor(call.output.shape) } }),
  },
  'axes of positions swapped': {
    call: (call) => ({
      ...call,
      attrs: {
        expr: rewrite(call.attrs['expr'] as Expr, (e) =>
          e.kind === 'index' && e.axis < 2 && call.output.shape.length > 1 ? expr.index(1 - e.axis) : e,
        ),
      },
    }),
  },
  'the last of a vector of four missing': missing((i, _, n) => i >= n - (n % 4)),
  'the last workgroup missing': missing((i, _, n) => n > 64 && i >= n - (n % 64)),
  'beyond element 4096 missing': missing((i) => i >= 4096),
  'scalars of the first run kept': { scalars: (_, first) => first },
  'scalars in another order': { scalars: (now) => [...now].reverse() },
  'i32 arithmetic in f32': values(Math.fround, ['i32']),
  'remainder with the sign of the divisor': fn('mod', ([a, b], type) =>
    type === 'f32' ? apply('sub', a!, apply('mul', b!, apply('floor', apply('div', a!, b!)))) : apply('mod', a!, b!),
  ),
  'halves rounded away from zero': fn('round', ([a]) =>
    apply('mul', apply('sign', a!), apply('floor', apply('add', apply('abs', a!), constant(0.5)))),
  ),
  'less taken for less or equal': fn('less', (args) => apply('lessEqual', ...args)),
  'u32 compared as i32': fn('less', ([a, b], type) =>
    type === 'u32' ? apply('less', expr.cast('i32', a!), expr.cast('i32', b!)) : apply('less', a!, b!),
  ),
  'sign lost in a shift to the right': fn('shiftRight', ([a, b], type) =>
    type === 'i32'
      ? expr.cast('i32', apply('shiftRight', expr.cast('u32', a!), expr.cast('u32', b!)))
      : apply('shiftRight', a!, b!),
  ),
  'i32 division rounded down': fn('div', ([a, b], type) =>
    type === 'i32'
      ? apply('sub', apply('div', a!, b!), apply('less', apply('mul', apply('mod', a!, b!), b!), constant(0, 'i32')))
      : apply('div', a!, b!),
  ),
  'erf by a tanh': fn('erf', ([a]) =>
    apply(
      'tanh',
      apply(
        'mul',
        constant(1.1283791671),
        apply('add', a!, apply('mul', constant(0.08943), apply('mul', a!, apply('mul', a!, a!)))),
      ),
    ),
  ),
  'exp to sixteen bits': fn('exp', (args) => apply('mul', apply('exp', ...args), constant(1 + 2 ** -16))),
  'log to sixteen bits': fn('log', (args) => apply('add', apply('log', ...args), constant(2 ** -16))),
  'tanh clipped at 4': fn('tanh', ([a]) => apply('tanh', apply('max', apply('min', a!, constant(4)), constant(-4)))),
  'casts round': {
    call: (call) => ({
      ...call,
      attrs: {
        expr: rewrite(call.attrs['expr'] as Expr, (e) =>
          e.kind === 'cast' && e.dtype !== 'f32' && call.inputs[0]?.dtype === 'f32'
            ? { ...e, arg: apply('round', e.arg) }
            : e,
        ),
      },
    }),
  },
  'casts wrap instead of saturating': {
    spoil: ({ call, out, at, memory }) => {
      const e = call.attrs['expr'] as Expr;
      if (e.kind === 'cast' && e.dtype === 'i32' && call.inputs[0]!.dtype === 'f32')
        at.forEach((place, i) => (out[place] = memory(call.inputs[0]!)[call.inputs[0]!.offset + i]! | 0));
    },
  },
  'NaN swallowed': values((x) => (Number.isNaN(x) ? 0 : x)),
  'select evaluates its condition as equal to 1': fn('select', ([c, a, b]) =>
    apply('select', apply('equal', c!, constant(1, 'i32')), a!, b!),
  ),
});

const shorter = (view: View, to: (size: number) => number): View => ({
  ...view,
  shape: view.shape.with(-1, to(view.shape.at(-1)!)),
});

const reduceFaults = of('reduce', {
  'the rest of a vector of four ignored': seen(0, (v) => shorter(v, (n) => (n > 4 ? n & ~3 : n))),
  'elements from 1024 on ignored': seen(0, (v) => shorter(v, (n) => Math.min(n, 1024))),
  'elements taken for neighbours': seen(0, (v) => ({ ...v, strides: v.strides.with(-1, 1) })),
  'the accumulator of the row before kept': {
    spoil: ({ call, out, at }) => {
      if (call.attrs['fn'] === 'sum') for (let i = at.length - 1; i > 0; i--) out[at[i]!]! += out[at[i - 1]!]!;
    },
  },
  'max begins at 0': {
    spoil: ({ call, out, at }) => {
      if (call.attrs['fn'] === 'max') for (const place of at) out[place] = Math.max(0, out[place]!);
    },
  },
  'min begins at the largest f32': {
    spoil: ({ call, out, at }) => {
      if (call.attrs['fn'] === 'min' && isFloat(call))
        for (const place of at) out[place] = Math.min(3.4e38, out[place]!);
    },
  },
  'the sum of nothing not written': missing((_, call) => elements(call.inputs[0]!.shape) === 0),
  'sums in f16': values((x, { call }) => (call.attrs['fn'] === 'sum' ? f16(x) : x)),
  'i32 sums in f32': values(Math.fround, ['i32']),
  'several axes reduced as one': seen(0, (v) => ({
    ...v,
    strides: v.strides.map((s, axis) =>
      axis === v.strides.length - 2 && v.shape.length > 2 ? v.strides.at(-1)! * v.shape.at(-1)! : s,
    ),
  })),
  'NaN swallowed': values((x) => (Number.isNaN(x) ? 0 : x)),
});

/** Indices 0 … n−1 of the products of a matmul, from `first` on. */
const depth = (first: (n: number) => number, last: (n: number) => number): Parts => ({
  call: (call) => {
    const [a, b] = call.inputs as [View, View];
    const k = a.shape.at(-1)!;
    const [from, to] = [first(k), last(k)];
    return {
      ...call,
      inputs: [
        { ...a, offset: a.offset + from * a.strides.at(-1)!, shape: a.shape.with(-1, to - from) },
        { ...b, offset: b.offset + from * b.strides.at(-2)!, shape: b.shape.with(-2, to - from) },
      ],
    };
  },
});
const epilogue = (change: (e: NonNullable<Call['epilogue']>) => NonNullable<Call['epilogue']>): Parts => ({
  call: (call) => (call.epilogue ? { ...call, epilogue: change(call.epilogue) } : call),
});

const matmulFaults = of('matmul', {
  'the right operand transposed': seen(1, (v) => (v.shape.at(-1) === v.shape.at(-2) ? lastTwoSwapped(v) : v)),
  'the left operand taken for contiguous': seen(0, (v) => ({ ...v, strides: rowMajor(v.shape) })),
  'the strides of the right operand taken for those of a weight': seen(1, (v) => ({
    ...v,
    strides: [...v.strides.slice(0, -2), 1, v.shape.at(-2)!],
  })),
  'the rest of K after eights ignored': depth(
    () => 0,
    (k) => (k > 8 ? k & ~7 : k),
  ),
  'the accumulator cleared between blocks of 64': depth(
    (k) => (k > 64 ? Math.floor((k - 1) / 64) * 64 : 0),
    (k) => k,
  ),
  'K is one too short': depth(
    () => 0,
    (k) => Math.max(k - 1, 0),
  ),
  'the stale accumulator of the run before': values((x, { before, at }, i) => x + before[at[i]!]!),
  'rows after the last whole tile of four missing': missing((i, call) => {
    const [m, n] = [call.output.shape.at(-2)!, columns(call)];
    return Math.floor(i / n) % m >= (m & ~3);
  }),
  'columns after the last whole tile of eight missing': missing(
    (i, call) => columns(call) > 8 && i % columns(call) >= (columns(call) & ~7),
  ),
  'column 64 repeats column 63': values((x, { call, out, at }, i) => (i % columns(call) === 64 ? out[at[i - 1]!]! : x)),
  'every batch uses the first right operand': seen(1, (v) => ({
    ...v,
    strides: v.strides.map((s, axis) => (axis < v.shape.length - 2 ? 0 : s)),
  })),
  'rounded to f16': values(f16),
  'products in f16': {
    spoil: ({ call, out, at, memory }) => {
      const [a, b] = call.inputs as [View, View];
      if (call.epilogue || a.shape.length > 2 || !isFloat(call)) return;
      const [left, right] = [memory(a), memory(b)];
      at.forEach((place, i) => {
        const [row, column] = [Math.floor(i / columns(call)), i % columns(call)];
        let total = 0;
        for (let k = 0; k < a.shape[1]!; k++)
          total +=
            f16(left[a.offset + row * a.strides[0]! + k * a.strides[1]!]!) *
            f16(right[b.offset + k * b.strides[0]! + column * b.strides[1]!]!);
        out[place] = total;
      });
    },
  },
  'the bias of the row in place of the column': epilogue((e) => ({
    ...e,
    inputs: e.inputs.map((v) => (v.shape.length === 2 && v.strides[0] === 0 ? { ...v, strides: [1, 0] } : v)),
  })),
  'the epilogue left out': epilogue((e) => ({ expr: input(0), inputs: e.inputs })),
  'the epilogue evaluated twice': epilogue((e) => ({
    ...e,
    expr: expr.substitute(e.expr, (i) => (i === 0 ? e.expr : input(i))),
  })),
  'the residual of the first row for all': epilogue((e) => ({
    ...e,
    inputs: e.inputs.map((v) => ({ ...v, strides: v.strides.with(0, 0) })),
  })),
  'the epilogue on every block of K': epilogue((e) => ({
    ...e,
    expr:
      e.inputs.length > 0
        ? expr.substitute(e.expr, (i) => (i === 1 ? apply('mul', input(1), constant(2)) : input(i)))
        : e.expr,
  })),
  'one row too many written': {
    spoil: ({ call, out, at }) => void (at.length > 0 && (out[call.output.offset + at.length] = 0)),
  },
  'NaN swallowed': values((x) => (Number.isNaN(x) ? 0 : x)),
});

const clampTo = (i: number, rows: number): number => Math.max(0, Math.min(i, rows - 1));
const isRange = (call: Call): boolean => call.inputs.length === 1;

const gatherFaults = of('gather', {
  'indices in f16': { index: f16 },
  'indices of sixteen bits': { index: (i) => i & 0xffff },
  'the last row never read': { index: (i, rows) => Math.min(clampTo(i, rows), Math.max(0, rows - 2)) },
  'indices outside wrap': { index: (i, rows) => ((i % rows) + rows) % rows },
  'negative indices count from the end': { index: (i, rows) => (i < 0 ? clampTo(i + rows, rows) : i) },
  'the start ignored': attrs((a) => (typeof a['start'] === 'number' ? { ...a, start: 0 } : a)),
  'the start of the first run kept': { scalars: (_, first) => first },
  'the last column missing': missing((i, call) => columns(call) > 1 && i % columns(call) === columns(call) - 1),
  'a range that wraps at the end': {
    spoil: ({ call, out, at, memory }) => {
      if (!isRange(call) || call.epilogue || typeof call.attrs['start'] !== 'number') return;
      const [table, width] = [call.inputs[0]!, columns(call)];
      at.forEach((place, i) => {
        const row = (call.attrs['start'] as number) + Math.floor(i / width);
        if (row >= table.shape[0]!)
          out[place] =
            memory(table)[
              table.offset + (row % table.shape[0]!) * table.strides[0]! + (i % width) * table.strides[1]!
            ]!;
      });
    },
  },
  'rows of the table taken for contiguous': seen(0, (v) => ({ ...v, strides: rowMajor(v.shape) })),
});

const scatterFaults = of('scatter', {
  'rows outside written to the nearest': { index: clampTo },
  'negative indices count from the end': { index: (i, rows) => (i < 0 ? i + rows : i) },
  'the start of the first run kept': { scalars: (_, first) => first },
  'adding overwrites': attrs((a) => ({ ...a, mode: 'set' })),
  'setting adds': attrs((a) => ({ ...a, mode: 'add' })),
  'the first of equal indices wins': {
    spoil: ({ call, out, at, memory }) => {
      const [updates, indices] = call.inputs as [View, View?];
      if (!indices || call.attrs['mode'] !== 'set') return;
      const width = elements(call.output.shape.slice(1));
      const [from, rows] = [memory(updates), memory(indices)];
      const place = (row: number, c: number): number => at[row * width + c]!;
      for (let i = updates.shape[0]! - 1; i >= 0; i--) {
        const row = rows[indices.offset + i * indices.strides[0]!]!;
        if (row < 0 || row >= call.output.shape[0]! || updates.shape.length !== 2) continue;
        for (let c = 0; c < width; c++)
          out[place(row, c)] = from[updates.offset + i * updates.strides[0]! + c * updates.strides[1]!]!;
      }
    },
  },
  'of rows that add, the last one alone counts': {
    spoil: ({ call, out, before, at, memory }) => {
      const [updates, indices] = call.inputs as [View, View?];
      if (!indices || call.attrs['mode'] !== 'add' || updates.shape.length !== 2) return;
      const [from, rows, width] = [memory(updates), memory(indices), elements(call.output.shape.slice(1))];
      for (let i = 0; i < updates.shape[0]!; i++) {
        const row = rows[indices.offset + i * indices.strides[0]!]!;
        if (row < 0 || row >= call.output.shape[0]!) continue;
        for (let c = 0; c < width; c++) {
          const to = at[row * width + c]!;
          out[to] = before[to]! + from[updates.offset + i * updates.strides[0]! + c * updates.strides[1]!]!;
        }
      }
    },
  },
  'the last row never written': {
    spoil: ({ call, out, before, at }) => {
      const width = elements(call.output.shape.slice(1));
      for (const place of at.subarray(at.length - width)) out[place] = before[place]!;
    },
  },
  'rows that were not named cleared': {
    spoil: ({ out, before, at }) => {
      for (const place of at) if (out[place] === before[place]) out[place] = 0;
    },
  },
  'the state taken for contiguous': {
    call: (call) => ({ ...call, output: { ...call.output, strides: rowMajor(call.output.shape) } }),
  },
});

export const primitiveFaults: readonly KernelFault[] = [
  ...copyFaults,
  ...pointwiseFaults,
  ...reduceFaults,
  ...matmulFaults,
  ...gatherFaults,
  ...scatterFaults,
];
