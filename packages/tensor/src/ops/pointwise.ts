// Element by element: arithmetic with broadcasting, activations, comparison and selection. Each function is one
// `pointwise` node with a scalar expression; lowering joins chains of them.
import { computeType } from '../dtype.ts';
import type { ComputeType, DType } from '../dtype.ts';
import { apply, cast as castExpr, constant, exprType, input } from '../expr.ts';
import type { Expr, ScalarFn } from '../expr.ts';
import type { Tensor } from '../graph.ts';
import { broadcastLayout, broadcastShapes } from '../shape.ts';

/** Evaluate an expression over tensors that broadcast against each other. */
export function pointwise(expr: Expr, inputs: readonly [Tensor, ...Tensor[]], options: { dtype?: DType } = {}): Tensor {
  const { graph } = inputs[0];
  const shape = broadcastShapes('pointwise', ...inputs.map((x) => x.shape));
  const stretched = inputs.map((x) => graph.view(x.node, broadcastLayout('pointwise', x, shape)));
  const type = exprType(expr, {
    inputs: inputs.map((x) => computeType(x.dtype)),
    scalars: graph.scalars.map((s) => s.dtype),
  });
  return graph.call('pointwise', stretched, { expr }, shape, options.dtype ?? type);
}

/** A tensor of a shape whose elements come from their positions alone. */
export function generate(like: Tensor, shape: readonly number[], expr: Expr, dtype: ComputeType = 'f32'): Tensor {
  return like.graph.call('pointwise', [], { expr }, shape, dtype);
}

/** A tensor full of one number. */
export const fill = (like: Tensor, shape: readonly number[], value: number, dtype: ComputeType = 'f32'): Tensor =>
  generate(like, shape, constant(value, dtype), dtype);

type Operand = Tensor | number;

function binary(fn: ScalarFn, a: Operand, b: Operand): Tensor {
  if (typeof a === 'number' && typeof b === 'number')
    throw new TypeError(`${fn}: two numbers: one operand must be a tensor`);
  if (typeof a === 'number')
    return pointwise(apply(fn, constant(a, computeType((b as Tensor).dtype)), input(0)), [b as Tensor]);
  if (typeof b === 'number') return pointwise(apply(fn, input(0), constant(b, computeType(a.dtype))), [a]);
  return pointwise(apply(fn, input(0), input(1)), [a, b]);
}
const unary =
  (fn: ScalarFn) =>
  (x: Tensor): Tensor =>
    pointwise(apply(fn, input(0)), [x]);

export const add = (a: Operand, b: Operand): Tensor => binary('add', a, b);
export const sub = (a: Operand, b: Operand): Tensor => binary('sub', a, b);
export const mul = (a: Operand, b: Operand): Tensor => binary('mul', a, b);
export const div = (a: Operand, b: Operand): Tensor => binary('div', a, b);
export const mod = (a: Operand, b: Operand): Tensor => binary('mod', a, b);
export const maximum = (a: Operand, b: Operand): Tensor => binary('max', a, b);
export const minimum = (a: Operand, b: Operand): Tensor => binary('min', a, b);
export const pow = (a: Operand, b: Operand): Tensor => binary('pow', a, b);
/** Comparisons give i32: 1 where true, 0 elsewhere. */
export const less = (a: Operand, b: Operand): Tensor => binary('less', a, b);
export const lessEqual = (a: Operand, b: Operand): Tensor => binary('lessEqual', a, b);
export const equal = (a: Operand, b: Operand): Tensor => binary('equal', a, b);

export const neg = unary('neg');
export const abs = unary('abs');
export const exp = unary('exp');
export const log = unary('log');
export const sqrt = unary('sqrt');
export const rsqrt = unary('rsqrt');
export const sin = unary('sin');
export const cos = unary('cos');
export const tanh = unary('tanh');
export const erf = unary('erf');
export const floor = unary('floor');
export const ceil = unary('ceil');
export const round = unary('round');
export const sign = unary('sign');

/** Elements of `a` where `condition` (i32) is not 0, of `b` elsewhere. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const tensors: [Tensor, ...Tensor[]] = [condition];
  const dtype = computeType((typeof a === 'number' ? (typeof b === 'number' ? condition : b) : a).dtype);
  const leaf = (x: Operand): Expr => (typeof x === 'number' ? constant(x, dtype) : input(tensors.push(x) - 1));
  const ifTrue = leaf(a);
  return pointwise(apply('select', input(0), ifTrue, leaf(b)), tensors);
}

/** Another element type. f32 → integer truncates and saturates. */
export const cast = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : pointwise(castExpr(computeType(dtype), input(0)), [x], { dtype });

export type Activation = 'relu' | 'gelu' | 'geluTanh' | 'silu' | 'sigmoid' | 'tanh' | 'relu2' | 'geluQuick';

/**
 * Activations by name. `gelu` is the exact one with erf, `geluTanh` its approximation (Hendrycks & Gimpel,
 * arXiv:1606.08415), `geluQuick` x·σ(1.702 x), `silu` also called swish, `relu2` the square of relu.
 */
export function activation(name: Activation, x: Tensor): Tensor {
  return pointwise(activations[name](input(0)), [x]);
}
const sigmoidExpr = (x: Expr): Expr =>
  apply('div', constant(1), apply('add', constant(1), apply('exp', apply('neg', x))));
const half = (x: Expr, of: Expr): Expr => apply('mul', apply('mul', constant(0.5), x), apply('add', constant(1), of));
const activations: Readonly<Record<Activation, (x: Expr) => Expr>> = {
  relu: (x) => apply('max', x, constant(0)),
  relu2: (x) => apply('mul', apply('max', x, constant(0)), apply('max', x, constant(0))),
  sigmoid: sigmoidExpr,
  silu: (x) => apply('div', x, apply('add', constant(1), apply('exp', apply('neg', x)))),
  tanh: (x) => apply('tanh', x),
  gelu: (x) => half(x, apply('erf', apply('mul', x, constant(Math.SQRT1_2)))),
  geluTanh: (x) => {
    const cubic = apply('mul', constant(0.044715), apply('mul', x, apply('mul', x, x)));
    return half(x, apply('tanh', apply('mul', constant(Math.sqrt(2 / Math.PI)), apply('add', x, cubic))));
  },
  geluQuick: (x) => apply('mul', x, sigmoidExpr(apply('mul', constant(1.702), x))),
};
