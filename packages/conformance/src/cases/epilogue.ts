// What is joined to a kernel's result before it is stored: every kernel, every kind of expression.
import {
  activation,
  add,
  argmax,
  attention,
  cast,
  crossEntropy,
  crossEntropyGradient,
  div,
  expr,
  gather,
  gatherRange,
  layerNorm,
  linear,
  logSoftmax,
  matmul,
  maximum,
  mul,
  pointwise,
  reshape,
  rmsNorm,
  rope,
  softmax,
  sub,
  sum,
  where,
  less,
} from '@transept/tensor';
import type { Graph, OpName, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers, uniform } from '../random.ts';

/** A result of each operation, of shape [6, 20]. Integers for argmax. */
const producers: Readonly<Partial<Record<OpName, (g: Graph) => Tensor>>> = {
  matmul: (g) => linear(g.input('x', [6, 33]), g.parameter('w', [20, 33])),
  reduce: (g) => sum(g.input('x', [6, 20, 9]), { keepDims: false }),
  gather: (g) => gather(g.parameter('table', [15, 20]), g.input('at', [6], 'i32')),
  softmax: (g) => softmax(g.input('x', [6, 20])),
  logSoftmax: (g) => logSoftmax(g.input('x', [6, 20])),
  layerNorm: (g) => layerNorm(g.input('x', [6, 20]), g.parameter('w', [20]), g.parameter('b', [20]), 1e-5),
  rmsNorm: (g) => rmsNorm(g.input('x', [6, 20]), g.parameter('w', [20]), 1e-5),
  rope: (g) =>
    reshape(rope(g.input('x', [1, 6, 2, 10]), g.input('cos', [6, 1, 5]), g.input('sin', [6, 1, 5])), [6, 20]),
  attention: (g) =>
    reshape(attention(g.input('q', [1, 6, 4, 5]), g.input('k', [1, 7, 4, 5]), g.input('v', [1, 7, 4, 5])), [6, 20]),
  argmax: (g) => reshape(argmax(g.input('x', [6, 20, 11])), [6, 20]),
  crossEntropy: (g) => crossEntropy(g.input('x', [6, 20, 15]), g.input('labels', [6, 20], 'i32')),
  crossEntropyGradient: (g) =>
    crossEntropyGradient(g.input('x', [6, 20]), g.input('labels', [6], 'i32'), g.input('gradient', [6])),
};

const contents: OpCase['contents'] = { at: integers(0, 14), labels: integers(-1, 14), x: uniform(-1, 1) };

const kinds: Readonly<Record<string, (t: Tensor, g: Graph) => Tensor>> = {
  bias: (t, g) => add(t, g.parameter('bias', [20])),
  'bias and residual': (t, g) => add(add(t, g.parameter('bias', [20])), g.input('residual', [6, 20])),
  'column factor': (t, g) => mul(t, g.input('factor', [6, 1])),
  'scale, swish': (t) => activation('silu', mul(t, 1.7)),
};

/** Kinds that are tried on matmul alone. */
const more: Readonly<Record<string, (t: Tensor, g: Graph) => Tensor>> = {
  relu: (t) => maximum(t, 0),
  'bias, gelu': (t, g) => activation('gelu', add(t, g.parameter('bias', [20]))),
  'bias, geluTanh': (t, g) => activation('geluTanh', add(t, g.parameter('bias', [20]))),
  gate: (t, g) => mul(activation('silu', t), g.input('gate', [6, 20])),
  'the result twice': (t) => mul(t, t),
  'the result on the right': (t, g) => sub(g.input('residual', [6, 20]), t),
  'divided by': (t, g) => div(g.input('residual', [6, 20]), add(mul(t, t), 1)),
  selected: (t, g) => where(less(g.input('choice', [6, 20]), 0), t, 0.5),
  positions: (t) =>
    pointwise(
      expr.apply(
        'add',
        expr.input(0),
        expr.cast('f32', expr.apply('add', expr.apply('mul', expr.index(0), expr.constant(100, 'i32')), expr.index(1))),
      ),
      [t],
    ),
  'to whole numbers': (t) => cast(mul(t, 10), 'i32'),
  'to f16': (t) => cast(t, 'f16'),
  'an f16 bias': (t, g) => add(t, g.parameter('bias', [20], 'f16')),
  'one number for all': (t, g) => add(t, g.input('one', [1])),
  'a scalar': (t, g) =>
    pointwise(expr.apply('mul', expr.input(0), { kind: 'scalar', scalar: g.scalar('rate', 'f32').scalar }), [t]),
};

const integerKinds: Readonly<Record<string, (t: Tensor, g: Graph) => Tensor>> = {
  'plus an index': (t, g) => add(t, g.input('offset', [6, 20], 'i32')),
  'to f32': (t) => mul(cast(t, 'f32'), 0.5),
};

const epilogueCase = (
  op: OpName,
  kind: string,
  build: (t: Tensor, g: Graph) => Tensor,
  runs?: OpCase['runs'],
): OpCase => ({
  op,
  name: `epilogue: ${kind}`,
  build: (g) => ({ out: build(producers[op]!(g), g) }),
  ...(op === 'argmax' ? { contents: { offset: integers(-9, 9) } } : { contents: contents! }),
  ...(runs && { runs }),
});

export const epilogueCases: readonly OpCase[] = [
  ...(Object.keys(producers) as OpName[]).flatMap((op) =>
    Object.entries(op === 'argmax' ? integerKinds : kinds).map(([kind, build]) => epilogueCase(op, kind, build)),
  ),
  ...Object.entries(more).map(([kind, build]) =>
    epilogueCase('matmul', kind, build, kind === 'a scalar' ? [[2], [-0.25]] : undefined),
  ),
  {
    op: 'matmul',
    name: 'epilogue: bias and residual of one row',
    build: (g) => ({
      out: add(
        add(linear(g.input('x', [1, 64]), g.parameter('w', [43, 64])), g.parameter('bias', [43])),
        g.input('residual', [1, 43]),
      ),
    }),
    start: 'odd',
  },
  {
    op: 'matmul',
    name: 'epilogue: batches with a bias for each',
    build: (g) => ({
      out: add(matmul(g.input('a', [3, 5, 9]), g.input('b', [3, 9, 10])), g.input('bias', [3, 1, 10])),
    }),
  },
  {
    op: 'gather',
    name: 'epilogue: embedding, scaled, and positions from a scalar',
    build: (g) => {
      const tokens = mul(gather(g.parameter('table', [30, 16]), g.input('at', [2, 3], 'i32')), 4);
      return { out: add(tokens, gatherRange(g.parameter('positions', [12, 16]), g.scalar('start'), 3)) };
    },
    contents: { at: integers(0, 29) },
    runs: [[0], [4], [11]],
  },
  {
    op: 'gather',
    name: 'epilogue: of whole numbers',
    build: (g) => ({ out: add(gather(g.parameter('table', [9, 5], 'i32'), g.input('at', [7], 'i32')), 1000) }),
    contents: { at: cycle([0, 8, 3]) },
  },
  {
    op: 'reduce',
    name: 'epilogue: mean of whole numbers',
    build: (g) => ({ out: div(cast(sum(g.input('x', [12, 31], 'i32')), 'f32'), 31) }),
  },
];
