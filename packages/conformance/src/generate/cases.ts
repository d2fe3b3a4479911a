// Cases made at random: any shapes, any views, any options, expressions of any form. The same for the same seed.
import {
  activation,
  add,
  argmax,
  attention,
  copy,
  crossEntropy,
  crossEntropyGradient,
  expr,
  gather,
  gatherRange,
  layerNorm,
  logSoftmax,
  matmul,
  max,
  min,
  mul,
  pointwise,
  prod,
  rmsNorm,
  rope,
  scatter,
  softmax,
  sub,
  sum,
} from '@transept/tensor';
import type { Activation, AttentionOptions, Expr, Graph, OpName, ScalarFn, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { integers, seedOf, uniform } from '../random.ts';
import { Choices, smaller } from './choices.ts';
import { someShape, someView } from './views.ts';

/** What is left of a case once its choices are made. */
type Made = Pick<OpCase, 'build' | 'contents' | 'runs'>;
type Maker = (choices: Choices) => Made;

const { apply, constant, input } = expr;
const out = (build: (g: Graph) => Tensor, contents?: OpCase['contents']): Made => ({
  build: (g) => ({ out: build(g) }),
  ...(contents && { contents }),
});

const makers: Readonly<Record<OpName, Maker>> = {
  copy(c) {
    const source = someView(c, someShape(c));
    return out((g) => copy(source(g, 'x')));
  },
  pointwise(c) {
    const shape = someShape(c);
    const sources = Array.from({ length: c.integer(1, 4) }, () => someView(c, shape));
    const e = someExpr(c, sources.length, shape.length, 4);
    return out((g) => pointwise(e, sources.map((source, i) => source(g, `x${i}`)) as [Tensor]));
  },
  reduce(c) {
    const shape = someShape(c);
    const source = someView(c, shape);
    const axes = shape.flatMap((_, axis) => (c.once(2) ? [axis] : []));
    const fold = c.of([sum, max, min, prod]);
    return out((g) => fold(source(g, 'x'), { axes: axes.length > 0 ? axes : [-1] }), { x: uniform(-1.2, 1.2) });
  },
  matmul(c) {
    const lead = c.once(2) ? someShape(c, { axes: 2, most: 6 }) : [];
    const [m, k, n] = [c.size(40), c.size(130), c.size(70)];
    const [a, b] = [someView(c, [...lead, m, k]), someView(c, [...lead, k, n])];
    const finish = someEpilogue(c, n);
    return out((g) => finish(g, matmul(a(g, 'a'), b(g, 'b'))));
  },
  gather(c) {
    const rows = c.size(40);
    const table = someView(c, [rows, ...someShape(c, { axes: 2, most: 200 })]);
    if (c.once(3)) {
      const [start, count] = [c.integer(-2, rows + 1), c.size(12)];
      return out((g) => gatherRange(table(g, 'table'), start, count));
    }
    const at = someView(c, someShape(c, { axes: 2, most: 40 }));
    return out((g) => gather(table(g, 'table'), at(g, 'at', 'i32')), { at: integers(-2, rows + 1) });
  },
  scatter(c) {
    const [rows, updates] = [c.size(30), c.size(20)];
    const rest = someShape(c, { axes: 2, most: 150 });
    const state = someView(c, [rows, ...rest], { stretch: false });
    const source = someView(c, [updates, ...rest]);
    const mode = c.of(['set', 'add'] as const);
    const start = c.once(2) ? c.integer(-2, rows) : undefined;
    return {
      build: (g) => {
        const target = state(stateful(g), 'state');
        scatter(target, start ?? g.input('at', [updates], 'i32'), source(g, 'rows'), { mode });
        return {};
      },
      contents: { at: integers(-1, rows) },
    };
  },
  softmax: (c) => rowWise(c, softmax),
  logSoftmax: (c) => rowWise(c, logSoftmax),
  argmax: (c) => rowWise(c, argmax),
  layerNorm: (c) =>
    rowWise(c, (x, g) =>
      layerNorm(x, g.parameter('weight', x.shape.slice(-1)), g.parameter('bias', x.shape.slice(-1)), 1e-3),
    ),
  rmsNorm: (c) => rowWise(c, (x, g) => rmsNorm(x, g.parameter('weight', x.shape.slice(-1)), 1e-3)),
  rope(c) {
    const [batch, positions, heads, half] = [c.size(3), c.size(9), c.size(6), c.size(40)];
    const size = 2 * half + (c.once(4) ? c.integer(1, 5) : 0);
    const x = someView(c, [batch, positions, heads, size]);
    const [cos, sin] = [someView(c, [batch, positions, heads, half]), someView(c, [batch, positions, heads, half])];
    const interleaved = c.once(2);
    return out((g) => rope(x(g, 'x'), cos(g, 'cos'), sin(g, 'sin'), { interleaved }));
  },
  attention: attentionCase,
  crossEntropy: (c) => lossCase(c, (x, labels, _, options) => crossEntropy(x, labels, options)),
  crossEntropyGradient: (c) => lossCase(c, crossEntropyGradient),
};

/** A graph whose `input` makes states, for views that are written to. */
function stateful(g: Graph): Graph {
  return Object.create(g, { input: { value: g.state.bind(g) } }) as Graph;
}

function rowWise(c: Choices, op: (x: Tensor, g: Graph) => Tensor): Made {
  const source = someView(c, [...someShape(c, { least: 0, axes: 2, most: 40 }), c.size(130)]);
  return out((g) => op(source(g, 'x'), g), { x: uniform(-3, 3) });
}

function lossCase(c: Choices, op: typeof crossEntropyGradient): Made {
  const [rows, classes] = [someShape(c, { axes: 2, most: 40 }), c.size(130)];
  const [x, labels, gradient] = [someView(c, [...rows, classes]), someView(c, rows), someView(c, rows)];
  const smoothing = c.once(3) ? c.integer(1, 4) / 4 : 0;
  return out((g) => op(x(g, 'x'), labels(g, 'labels', 'i32'), gradient(g, 'gradient'), { smoothing }), {
    x: uniform(-3, 3),
    labels: integers(-1, classes),
  });
}

function attentionCase(c: Choices): Made {
  const [batch, queries, keys, groups] = [c.size(3), c.size(20), c.size(70), c.size(3)];
  const [heads, size, valueSize] = [groups * c.integer(1, 3), c.size(40), c.size(40)];
  const plain = c.once(2) ? { stretch: false } : {};
  const q = someView(c, [batch, queries, heads, size], plain);
  const k = someView(c, [batch, keys, groups, size], plain);
  const v = someView(c, [batch, keys, groups, valueSize], plain);
  const mask = c.once(3) ? someView(c, c.once(2) ? [batch, heads, queries, keys] : [batch, 1, 1, keys]) : undefined;
  const bias = c.once(4) ? someView(c, [batch, heads, queries, keys]) : undefined;
  const options: AttentionOptions = {
    ...(c.once(2) && { causal: true, start: c.integer(-1, keys) }),
    ...(c.once(4) && { window: c.integer(1, keys) }),
    ...(c.once(4) && { softcap: c.integer(1, 5) }),
    ...(c.once(4) && { keys: c.integer(0, keys) }),
  };
  return out(
    (g) =>
      attention(q(g, 'q'), k(g, 'k'), v(g, 'v'), {
        ...options,
        ...(mask && { mask: mask(g, 'mask', 'i32') }),
        ...(bias && { bias: bias(g, 'bias') }),
      }),
    {
      mask: integers(0, 1),
    },
  );
}

function someEpilogue(c: Choices, width: number): (g: Graph, x: Tensor) => Tensor {
  const bias = c.once(2);
  const fn = c.once(2) ? c.of<Activation>(['relu', 'silu', 'gelu', 'tanh']) : undefined;
  const residual = c.once(3);
  return (g, x) => {
    let y = bias ? add(x, g.parameter('bias', [width])) : x;
    if (fn) y = activation(fn, y);
    return residual ? sub(mul(y, 0.5), g.input('residual', y.shape)) : y;
  };
}

const unary: readonly ScalarFn[] = ['neg', 'abs', 'exp', 'tanh', 'erf', 'sin', 'floor', 'sign'];
const binary: readonly ScalarFn[] = ['add', 'sub', 'mul', 'max', 'min'];

function someExpr(c: Choices, inputs: number, axes: number, depth: number): Expr {
  const inner = (): Expr => someExpr(c, inputs, axes, depth - 1);
  switch (depth === 0 ? 0 : c.integer(0, 6)) {
    case 0:
      return input(c.integer(0, inputs - 1));
    case 1:
    case 2:
      return apply(c.of(binary), inner(), inner());
    case 3:
      return apply(c.of(unary), input(c.integer(0, inputs - 1)));
    case 4:
      return apply('mul', inner(), constant(c.integer(-4, 4) / 4));
    case 5:
      return apply('select', apply('less', input(c.integer(0, inputs - 1)), constant(0)), inner(), inner());
    default:
      return apply('add', inner(), expr.cast('f32', expr.index(c.integer(0, axes - 1))));
  }
}

/** Cases of an operation made from one seed, each of which knows smaller ones. */
function randomCase(op: OpName, number: number, seed: number, drawn?: readonly number[]): OpCase {
  const choices = new Choices(seedOf(seed, op, String(number)), drawn);
  const made = makers[op](choices);
  const start = choices.once(2) ? 'odd' : 'aligned';
  return {
    op,
    name: `random ${number}`,
    start,
    ...made,
    *smaller() {
      for (const less of smaller(choices.drawn)) yield randomCase(op, number, seed, less);
    },
  };
}

const casesEach = 8;

export const randomCases = (seed: number): OpCase[] =>
  (Object.keys(makers) as OpName[]).flatMap((op) =>
    Array.from({ length: casesEach }, (_, i) => randomCase(op, i + 1, seed)),
  );
