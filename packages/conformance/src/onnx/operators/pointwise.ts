// Operators on single elements.
import {
  abs,
  activation,
  add,
  cast,
  ceil,
  computeType,
  copy,
  cos,
  div,
  equal,
  erf,
  exp,
  expr,
  floor,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mod,
  mul,
  neg,
  pointwise,
  pow,
  round,
  sign,
  sin,
  sqrt,
  sub,
  tanh,
  where,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { Kind } from '../format.ts';
import type { OnnxNode, Operator } from '../node.ts';

const { apply, constant, input } = expr;

/** Integers of fewer than 32 bits wrap where their own type does. */
export function wrapped(x: Tensor, { bits, dtype }: Kind): Tensor {
  if (bits === undefined) return x;
  const shift = constant(32 - bits, computeType(dtype));
  return pointwise(apply('shiftRight', apply('shiftLeft', input(0), shift), shift), [x]);
}

const unary =
  (fn: (x: Tensor) => Tensor): Operator =>
  (node) =>
    fn(node.tensor(0));
const binary =
  (fn: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (node) =>
    fn(node.tensor(0), node.tensor(1));
const arithmetic =
  (fn: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (node) =>
    wrapped(fn(node.tensor(0), node.tensor(1)), node.kind(0));
const fold =
  (fn: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (node) =>
    node.tensors().reduce(fn);

const sigmoid = (x: Tensor): Tensor => activation('sigmoid', x);
const not = (x: Tensor): Tensor => equal(x, 0);
/** x·σ(α·x) */
export const swish = (x: Tensor, alpha: number): Tensor => mul(x, sigmoid(mul(x, alpha)));

function clip(node: OnnxNode): Tensor {
  let x = node.tensor(0);
  if (node.has(1)) x = maximum(x, node.tensor(1));
  return node.has(2) ? minimum(x, node.tensor(2)) : x;
}

/** With the sign of the divisor as in Python, or of the dividend as in C with `fmod`. */
function remainder(node: OnnxNode): Tensor {
  const [a, b] = [node.tensor(0), node.tensor(1)];
  const rest = mod(a, b);
  return node.flag('fmod') || node.kind(0).dtype === 'u32' ? rest : mod(add(rest, b), b);
}

/** Powers of integers are whole, however a device computes powers. */
function power(node: OnnxNode): Tensor {
  const result = pow(node.as('f32', 0), node.as('f32', 1));
  const { dtype } = node.kind(0);
  return computeType(dtype) === 'f32' ? result : cast(round(result), dtype);
}

function isInfinite(node: OnnxNode): Tensor {
  const x = node.tensor(0);
  const [positive, negative] = [node.flag('detect_positive', true), node.flag('detect_negative', true)];
  const size = positive && negative ? abs(x) : positive ? x : neg(x);
  return equal(size, Infinity);
}

const bitwise =
  (fn: 'and' | 'or') =>
  (a: Tensor, b: Tensor): Tensor =>
    pointwise(apply(fn, input(0), input(1)), [a, b]);
const stepped = (x: Tensor, otherwise: Tensor): Tensor => where(less(0, x), x, otherwise);

export const pointwiseOperators: Readonly<Record<string, Operator>> = {
  Abs: unary(abs),
  Ceil: unary(ceil),
  Cos: unary(cos),
  Erf: unary(erf),
  Exp: unary(exp),
  Floor: unary(floor),
  Identity: unary(copy),
  Log: unary(log),
  Neg: unary(neg),
  Not: unary(not),
  Reciprocal: unary((x) => div(1, x)),
  Relu: unary((x) => activation('relu', x)),
  Round: unary(round),
  Sigmoid: unary(sigmoid),
  Sign: unary(sign),
  Sin: unary(sin),
  Softplus: unary((x) => add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)))),
  Sqrt: unary(sqrt),
  Tanh: unary(tanh),
  HardSwish: unary((x) => mul(x, maximum(minimum(add(mul(x, 1 / 6), 0.5), 1), 0))),
  IsNaN: unary((x) => not(equal(x, x))),
  IsInf: isInfinite,
  Gelu: (node) => activation(node.text('approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu', node.tensor(0)),
  Swish: (node) => swish(node.tensor(0), node.number('alpha', 1)),
  SwiGLU: (node) => mul(swish(node.tensor(0), node.number('alpha', 1)), node.tensor(1)),
  LeakyRelu: (node) => stepped(node.tensor(0), mul(node.tensor(0), node.number('alpha', 0.01))),
  Elu: (node) => stepped(node.tensor(0), mul(sub(exp(node.tensor(0)), 1), node.number('alpha', 1))),
  HardSigmoid: (node) =>
    maximum(minimum(add(mul(node.tensor(0), node.number('alpha', 0.2)), node.number('beta', 0.5)), 1), 0),
  Clip: clip,

  Add: arithmetic(add),
  Sub: arithmetic(sub),
  Mul: arithmetic(mul),
  Div: arithmetic(div),
  Mod: remainder,
  Pow: power,
  Max: fold(maximum),
  Min: fold(minimum),
  Sum: fold(add),
  Mean: (node) => div(node.tensors().reduce(add), node.inputs),

  And: binary(bitwise('and')),
  Or: binary(bitwise('or')),
  Xor: binary((a, b) => not(equal(a, b))),
  Equal: binary(equal),
  Less: binary(less),
  LessOrEqual: binary(lessEqual),
  Greater: binary((a, b) => less(b, a)),
  GreaterOrEqual: binary((a, b) => lessEqual(b, a)),
  Where: (node) => where(node.tensor(0), node.tensor(1), node.tensor(2)),
};
