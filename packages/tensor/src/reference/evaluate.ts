// Scalar expressions evaluated in f64, one element at a time: what every other backend is compared with.
import type { ComputeType } from '../dtype.ts';
import { exprType } from '../expr.ts';
import type { Expr, LeafTypes, ScalarFn } from '../expr.ts';

/** The values an expression's leaves have for one element. */
export interface Leaves {
  readonly inputs: ArrayLike<number>;
  readonly position: ArrayLike<number>;
  readonly scalars: ArrayLike<number>;
}

export type Evaluate = (leaves: Leaves) => number;

/** Make a function that evaluates an expression. */
export function compile(expr: Expr, types: LeafTypes): Evaluate {
  switch (expr.kind) {
    case 'input': {
      const { index } = expr;
      return (leaves) => leaves.inputs[index]!;
    }
    case 'index': {
      const { axis } = expr;
      return (leaves) => leaves.position[axis]!;
    }
    case 'scalar': {
      const { scalar } = expr;
      return (leaves) => leaves.scalars[scalar]!;
    }
    case 'const': {
      const { value } = expr;
      return () => value;
    }
    case 'cast': {
      const arg = compile(expr.arg, types);
      const convert = casts[expr.dtype];
      return exprType(expr.arg, types) === 'f32'
        ? (leaves) => convert.fromFloat(arg(leaves))
        : (leaves) => convert.fromInteger(arg(leaves));
    }
    case 'apply': {
      const args = expr.args.map((a) => compile(a, types));
      const type = exprType(expr.args.at(-1)!, types);
      const fn = type === 'f32' ? floatFns[expr.fn] : wrapped(expr.fn, type);
      const [a, b, c] = args;
      if (c) return (leaves) => fn(a!(leaves), b!(leaves), c(leaves));
      if (b) return (leaves) => fn(a!(leaves), b(leaves), 0);
      return (leaves) => fn(a!(leaves), 0, 0);
    }
    default:
      return expr satisfies never;
  }
}

type Fn = (a: number, b: number, c: number) => number;

const saturate = (x: number, low: number, high: number): number =>
  Number.isNaN(x) ? 0 : Math.trunc(Math.min(high, Math.max(low, x)));
const casts: Record<ComputeType, { fromFloat: (x: number) => number; fromInteger: (x: number) => number }> = {
  f32: { fromFloat: (x) => x, fromInteger: (x) => x },
  i32: { fromFloat: (x) => saturate(x, -(2 ** 31), 2 ** 31 - 1), fromInteger: (x) => x | 0 },
  u32: { fromFloat: (x) => saturate(x, 0, 2 ** 32 - 1), fromInteger: (x) => x >>> 0 },
};

const floatFns: Record<ScalarFn, Fn> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  pow: (a, b) => Math.pow(a, b),
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sign: (a) => Math.sign(a),
  exp: (a) => Math.exp(a),
  log: (a) => Math.log(a),
  sqrt: (a) => Math.sqrt(a),
  rsqrt: (a) => 1 / Math.sqrt(a),
  sin: (a) => Math.sin(a),
  cos: (a) => Math.cos(a),
  tanh: (a) => Math.tanh(a),
  erf: (a) => erf(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  round: (a) => roundHalfEven(a),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
  select: (condition, a, b) => (condition !== 0 ? a : b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftLeft: (a, b) => a << b,
  shiftRight: (a, b) => a >> b,
};

/** The same functions on 32-bit integers. */
function wrapped(fn: ScalarFn, type: ComputeType): Fn {
  const wrap = type === 'u32' ? (x: number) => x >>> 0 : (x: number) => x | 0;
  switch (fn) {
    case 'mul':
      return (a, b) => wrap(Math.imul(a, b));
    case 'div':
      return (a, b) => (b === 0 ? 0 : wrap(Math.trunc(a / b)));
    case 'mod':
      return (a, b) => (b === 0 ? 0 : wrap(a % b));
    case 'shiftRight':
      return type === 'u32' ? (a, b) => a >>> b : (a, b) => a >> b;
    default: {
      const float = floatFns[fn];
      return (a, b, c) => wrap(float(a, b, c));
    }
  }
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** The error function to f64 accuracy: its Taylor series near 0, a continued fraction for erfc beyond. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = z;
    let total = z;
    for (let n = 1; n < 80; n++) {
      term *= (-z * z) / n;
      total += term / (2 * n + 1);
    }
    return Math.sign(x) * total * (2 / Math.sqrt(Math.PI));
  }
  let fraction = 0;
  for (let k = 80; k > 0; k--) fraction = k / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}
