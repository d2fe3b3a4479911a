// Scalar expressions: every function on every type, on the values where functions go wrong, and views of all kinds.
import {
  activation,
  add,
  assign,
  broadcastTo,
  cast,
  expandDims,
  expr,
  mul,
  pointwise,
  slice,
  sub,
  transpose,
  where,
} from '@transept/tensor';
import type { Activation, ComputeType, DType, Expr, Graph, ScalarFn, Tensor } from '@transept/tensor';
import type { Contents, OpCase } from '../case.ts';
import { cycle, integers, uniform, wide } from '../random.ts';

const { apply, constant, index, input } = expr;

const pointwiseCase = (name: string, build: (g: Graph) => Tensor, more: Partial<OpCase> = {}): OpCase => ({
  op: 'pointwise',
  name,
  build: (g) => ({ y: build(g) }),
  ...more,
});

const smallest = 2 ** -126;
const largest = (2 - 2 ** -23) * 2 ** 127;
/** Zeros, neighbours of 1, halves, whole numbers beyond what an i32 has, subnormal and huge ones. */
const edges = [
  0,
  -0,
  1,
  -1,
  1 - 2 ** -24,
  1 + 2 ** -23,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  -1.5,
  3,
  -7,
  1e-3,
  88.5,
  -88.5,
  -104,
  smallest,
  -smallest,
  smallest / 8,
  8388609,
  2 ** 31,
  -(2 ** 31),
  3e9,
  1e20,
  -1e20,
  largest,
  -largest,
];
const moderate = edges.filter((x) => Math.abs(x) < 1e9 && (x === 0 || Math.abs(x) > 1e-6));
const specials = [NaN, Infinity, -Infinity, 0, -0, 1, -1, largest];

/** Arguments on which each function of f32 is tried; where it is defined, and where f64 can say what is right. */
const floatArguments: Readonly<Partial<Record<ScalarFn, readonly Contents[]>>> = {
  pow: [cycle([0.5, 1, 2, 3.7, 1e-3, 1e4, 0]), cycle([2, -1, 0.5, 3, 0, 1.7, 2.5, 1, -3.5, 4, 2])],
  mod: [cycle([5.5, -5.5, 7, 0.3, -8.25, 100, 0]), cycle([2, 3, -2.5, 0.75, 10])],
  exp: [cycle([...moderate, ...[-10, -20, 10, 20, 0.1]])],
  log: [cycle([1, 2, 0.5, 1.0001, 0.9999, 1e-3, 1e10, 1e-30, smallest, largest, 8388609])],
  sqrt: [cycle([0, 1, 2, 4, 1e-20, 1e20, smallest, largest, 0.25])],
  rsqrt: [cycle([1, 2, 4, 1e-20, 1e20, smallest, largest, 0.25])],
  sin: [cycle([0, 0.1, 1, 3, -3, 1.5707964, 3.1415925, -0.7, 1e-4])],
  cos: [cycle([0, 0.1, 1, 3, -3, 1.5707964, 3.1415925, -0.7, 1e-4])],
  tanh: [cycle([...moderate, 1e20, -1e20])],
  erf: [cycle([...moderate, 2, 2.4, -3.9, 4.1, 1e20, -1e20])],
  div: [cycle(edges), cycle([1, 3, -7, 0.1, 1e-3, 1e5, -2])],
  select: [cycle([0, 1, -1, 7]), cycle(edges), uniform(-1, 1)],
};

const unary: readonly ScalarFn[] = [
  'neg',
  'abs',
  'sign',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'sin',
  'cos',
  'tanh',
  'erf',
  'floor',
  'ceil',
  'round',
];
const binary: readonly ScalarFn[] = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'max',
  'min',
  'pow',
  'less',
  'lessEqual',
  'equal',
];
const integerFns: readonly ScalarFn[] = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'max',
  'min',
  'less',
  'lessEqual',
  'equal',
  'and',
  'or',
  'xor',
  'shiftLeft',
  'shiftRight',
];

/** A function of f32 on the values at its edges. Sizes that no vector divides. */
function floatCase(fn: ScalarFn, arity: number): OpCase {
  const given = floatArguments[fn] ?? [cycle(edges), cycle([...edges].reverse().concat(0.3))];
  const types: DType[] = fn === 'select' ? ['i32', 'f32', 'f32'] : ['f32', 'f32'];
  const names = ['a', 'b', 'c'].slice(0, arity);
  return pointwiseCase(
    `${fn} of f32`,
    (g) =>
      pointwise(
        apply(fn, ...names.map((_, i) => input(i))),
        names.map((n, i) => g.input(n, [7, 47], types[i])) as [Tensor],
      ),
    { contents: Object.fromEntries(names.map((n, i) => [n, given[i]!])) },
  );
}

const integerEdges = [0, 1, -1, 2, 7, -7, 100, 65535, 65536, 123456789, -123456789, 2 ** 31 - 1, -(2 ** 31)];
function integerCase(fn: ScalarFn, type: 'i32' | 'u32'): OpCase {
  const shifts = fn === 'shiftLeft' || fn === 'shiftRight';
  const wrap = (x: number): number => (type === 'u32' ? x >>> 0 : x | 0);
  return pointwiseCase(
    `${fn} of ${type}`,
    (g) => pointwise(apply(fn, input(0), input(1)), [g.input('a', [211], type), g.input('b', [211], type)]),
    {
      contents: {
        a: cycle(integerEdges.map(wrap)),
        b: shifts ? cycle([0, 1, 31, 7, 16]) : cycle([...integerEdges].reverse().concat(3).map(wrap)),
      },
    },
  );
}

/** Several functions at once on values that are no numbers: one kernel. */
function specialCase(name: string, fns: readonly ScalarFn[], arity: number): OpCase {
  return {
    op: 'pointwise',
    name,
    special: true,
    build: (g) => {
      const inputs = ['a', 'b'].slice(0, arity).map((n) => g.input(n, [9, 8])) as [Tensor];
      return Object.fromEntries(fns.map((fn) => [fn, pointwise(apply(fn, ...inputs.map((_, i) => input(i))), inputs)]));
    },
    contents: { a: cycle(specials), b: cycle([...specials, 2]) },
  };
}

const casts: readonly OpCase[] = (['f32', 'i32', 'u32'] as const).flatMap((from) =>
  (['f32', 'i32', 'u32'] as const)
    .filter((to) => to !== from)
    .map((to) =>
      pointwiseCase(`cast ${from} to ${to}`, (g) => pointwise(expr.cast(to, input(0)), [g.input('x', [67], from)]), {
        contents: { x: from === 'f32' ? cycle(edges) : cycle(integerEdges.map((x) => (from === 'u32' ? x >>> 0 : x))) },
      }),
    ),
);

const activations: readonly Activation[] = [
  'relu',
  'gelu',
  'geluTanh',
  'silu',
  'sigmoid',
  'tanh',
  'relu2',
  'geluQuick',
];

/** Sizes around what vectors, blocks and workgroups hold. */
const sizes = [1, 2, 3, 4, 5, 31, 63, 64, 65, 127, 255, 256, 257, 1023, 1025, 4099];
const sized = sizes.map((n) =>
  pointwiseCase(`size ${n}`, (g) => add(mul(g.input('a', [n]), 2), g.input('b', [n])), n % 2 ? { start: 'odd' } : {}),
);

const x34 = (g: Graph): Tensor => g.input('x', [3, 4, 5]);
const views: readonly OpCase[] = [
  pointwiseCase('transposed', (g) => add(transpose(x34(g), [2, 0, 1]), g.input('z', [5, 3, 4]))),
  pointwiseCase('row over rows', (g) => add(g.input('x', [17, 33]), g.input('row', [33]))),
  pointwiseCase('column over columns', (g) => mul(g.input('x', [17, 33]), g.input('column', [17, 1])), {
    start: 'odd',
  }),
  pointwiseCase('one element over all', (g) => sub(g.input('x', [9, 14]), g.input('one', [1]))),
  pointwiseCase('middle axis stretched', (g) => add(g.input('x', [3, 1, 7]), g.input('z', [3, 5, 1]))),
  pointwiseCase('every third element', (g) => mul(slice(g.input('x', [4, 30]), 1, 2, 30, 3), 3)),
  pointwiseCase('a part from the middle', (g) => add(slice(slice(g.input('x', [20, 30]), 0, 5, 17), 1, 7, 28), 1), {
    start: 'odd',
  }),
  pointwiseCase('six axes in another order', (g) =>
    mul(transpose(g.input('x', [2, 3, 2, 3, 2, 3]), [5, 3, 1, 0, 2, 4]), g.input('z', [3, 3, 3, 2, 2, 2])),
  ),
  pointwiseCase('stretched and turned', (g) =>
    add(broadcastTo(expandDims(transpose(g.input('x', [6, 4])), 1), [4, 3, 6]), g.input('z', [4, 3, 6])),
  ),
  pointwiseCase('a result and its transpose', (g) => {
    const doubled = mul(g.input('x', [5, 5]), 2);
    return add(doubled, transpose(doubled));
  }),
  pointwiseCase('the same input twice', (g) => {
    const x = g.input('x', [5, 5]);
    return add(x, transpose(x));
  }),
  {
    op: 'pointwise',
    name: 'no elements',
    build: (g) => ({ y: add(g.input('x', [0, 5]), 1), z: add(g.input('one', [1]), 1) }),
  },
  {
    op: 'pointwise',
    name: 'into a part of a state',
    build: (g) => {
      const state = g.state('state', [9, 11]);
      assign(transpose(slice(slice(state, 0, 2, 7), 1, 3, 10)), mul(g.input('x', [7, 5]), 2));
      return {};
    },
  },
  {
    op: 'pointwise',
    name: 'into every second column of a state',
    build: (g) => {
      const state = g.state('state', [6, 14]);
      assign(slice(state, 1, 1, 14, 2), add(g.input('x', [6, 7]), 1));
      return {};
    },
    start: 'odd',
  },
];

const generated =
  (type: ComputeType, e: Expr, shape: readonly number[]) =>
  (g: Graph): Tensor =>
    g.call('pointwise', [], { expr: e }, shape, type);

const others: readonly OpCase[] = [
  pointwiseCase(
    'positions',
    generated(
      'i32',
      apply(
        'add',
        apply('mul', index(0), constant(1000, 'i32')),
        apply('add', apply('mul', index(1), constant(50, 'i32')), index(2)),
      ),
      [3, 7, 9],
    ),
  ),
  pointwiseCase('a constant', generated('f32', constant(0.1), [77])),
  pointwiseCase('positions beyond what f16 has', (g) =>
    pointwise(apply('add', expr.cast('f32', index(0)), input(0)), [g.input('x', [5000])]),
  ),
  {
    op: 'pointwise',
    name: 'scalars, new ones every run',
    build: (g) => {
      const [rate, step] = [g.scalar('rate', 'f32'), g.scalar('step')];
      const e = apply(
        'add',
        apply('mul', input(0), { kind: 'scalar', scalar: rate.scalar }),
        expr.cast('f32', { kind: 'scalar', scalar: step.scalar }),
      );
      return { y: pointwise(e, [g.input('x', [33])]) };
    },
    runs: [
      [0.5, 3],
      [-2, -7],
      [1e-3, 100000],
    ],
  },
  {
    op: 'pointwise',
    name: 'sixteen scalars',
    build: (g) => {
      const refs = Array.from({ length: 16 }, (_, i) =>
        g.scalar(`s${i}`, i % 3 === 0 ? 'f32' : i % 3 === 1 ? 'i32' : 'u32'),
      );
      const leaf = (i: number): Expr =>
        i % 3 === 0
          ? { kind: 'scalar', scalar: refs[i]!.scalar }
          : expr.cast('f32', { kind: 'scalar', scalar: refs[i]!.scalar });
      return {
        y: pointwise(
          refs.reduce<Expr>((sum, _, i) => apply('add', apply('mul', sum, constant(0.5)), leaf(i)), input(0)),
          [g.input('x', [5])],
        ),
      };
    },
    runs: [
      Array.from({ length: 16 }, (_, i) => (i % 3 === 0 ? i + 0.5 : i)),
      Array.from({ length: 16 }, (_, i) => (i % 3 === 1 ? -i : 2 * i)),
    ],
  },
  {
    op: 'pointwise',
    name: 'several results of one input',
    build: (g) => {
      const x = g.input('x', [41]);
      return { y: mul(x, 2), z: add(x, 1), w: where(isNegative(x), x, 0) };
    },
  },
  pointwiseCase('a long expression', (g) =>
    Array.from({ length: 12 }).reduce<Tensor>(
      (t, _, i) => add(mul(t, 0.9), g.input(`x${i}`, [50])),
      g.input('x', [50]),
    ),
  ),
  pointwiseCase('sizes over many powers of two', (g) => mul(g.input('a', [300]), g.input('b', [300])), {
    contents: { a: wide(60), b: wide(60) },
  }),
  pointwiseCase('truth values', (g) =>
    pointwise(
      apply(
        'select',
        apply('and', apply('less', input(0), constant(0)), apply('lessEqual', constant(-0.5), input(0))),
        constant(1, 'i32'),
        constant(2, 'i32'),
      ),
      [g.input('x', [99])],
    ),
  ),
];

function isNegative(x: Tensor): Tensor {
  return pointwise(apply('less', input(0), constant(0)), [x]);
}

const stored: readonly OpCase[] = [
  pointwiseCase('f16 to f32', (g) => add(cast(g.input('x', [37], 'f16'), 'f32'), 1), {
    contents: { x: cycle([0, 1, -1, 65504, -65504, 2 ** -14, 2 ** -24, 0.333251953125]) },
  }),
  pointwiseCase('f32 to f16', (g) => cast(g.input('x', [37]), 'f16'), { contents: { x: uniform(-300, 300) } }),
  pointwiseCase('f16 with f16', (g) => cast(mul(g.input('a', [7, 13], 'f16'), g.input('b', [13], 'f16')), 'f16')),
  pointwiseCase(
    'i8 and u8 to 32 bits',
    (g) => add(cast(g.input('a', [36], 'i8'), 'i32'), cast(cast(g.input('b', [36], 'u8'), 'u32'), 'i32')),
    {
      contents: { a: integers(-128, 127), b: integers(0, 255) },
    },
  ),
];

export const pointwiseCases: readonly OpCase[] = [
  ...unary.map((fn) => floatCase(fn, 1)),
  ...binary.map((fn) => floatCase(fn, 2)),
  floatCase('select', 3),
  ...integerFns.flatMap((fn) => [integerCase(fn, 'i32'), integerCase(fn, 'u32')]),
  ...casts,
  ...activations.map((name) =>
    pointwiseCase(name, (g) => activation(name, g.input('x', [131])), {
      contents: { x: cycle([...moderate.filter((x) => Math.abs(x) < 1e5), 0.1, -0.3, 4, -4, 9]) },
    }),
  ),
  ...sized,
  ...views,
  ...others,
  ...stored,
  specialCase('NaN and Inf: one argument', ['neg', 'abs', 'exp', 'sqrt', 'floor', 'ceil', 'tanh', 'erf'], 1),
  specialCase('NaN and Inf: two arguments', ['add', 'sub', 'mul', 'div', 'less', 'lessEqual', 'equal'], 2),
  {
    ...pointwiseCase('1M', (g) => add(mul(g.input('a', [1 << 20]), 2), g.input('b', [1 << 20]))),
    forSpeed: true,
  },
  { ...pointwiseCase('gelu 1M', (g) => activation('gelu', g.input('x', [1 << 20]))), forSpeed: true },
];
