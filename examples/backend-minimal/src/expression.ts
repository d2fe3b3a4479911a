// Scalar expressions, which arrive as trees of plain data, become functions of one number: which element is computed.
import { expr } from '@transept/tensor';
import type { ComputeType, Expr, ScalarFn } from '@transept/tensor';

/** A value for every element, and its type. */
export interface Value {
  readonly type: ComputeType;
  readonly at: (i: number) => number;
}

export type Leaf = Extract<Expr, { kind: 'input' | 'index' | 'scalar' }>;

/** Make a function of an expression, given what its leaves are. */
export function compile(tree: Expr, leaf: (leaf: Leaf) => Value): Value {
  switch (tree.kind) {
    case 'input':
    case 'index':
    case 'scalar':
      return leaf(tree);
    case 'const':
      return { type: tree.dtype, at: () => tree.value };
    case 'cast': {
      const from = compile(tree.arg, leaf);
      const convert = from.type === 'f32' ? saturate[tree.dtype] : wrap[tree.dtype];
      return { type: tree.dtype, at: (i) => convert(from.at(i)) };
    }
    case 'apply': {
      const args = tree.args.map((arg) => compile(arg, leaf));
      const { type } = args.at(-1)!; // the condition of a select comes first
      const fn = type === 'f32' ? functions[tree.fn] : integerFunction(tree.fn, type);
      const [a, b = zero, c = zero] = args.map((arg) => arg.at) as [Value['at']];
      const at = (i: number): number => fn(a(i), b(i), c(i));
      return { type: expr.scalarFns[tree.fn].result === 'i32' ? 'i32' : type, at };
    }
    default:
      return tree satisfies never;
  }
}

const zero: Value['at'] = () => 0;
type Convert = (x: number) => number;
const wrap: Record<ComputeType, Convert> = { f32: (x) => x, i32: (x) => x | 0, u32: (x) => x >>> 0 };
const saturate: Record<ComputeType, Convert> = {
  f32: (x) => x,
  i32: (x) => Math.trunc(Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1)) || 0, // NaN gives 0
  u32: (x) => Math.trunc(Math.min(Math.max(x, 0), 2 ** 32 - 1)) || 0,
};
type Fn = (a: number, b: number, c: number) => number;

/** Computed in f64, rounded where they are stored. */
const functions: Record<ScalarFn, Fn> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  pow: (a, b) => a ** b,
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
  erf,
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  round: (a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a)), // halves to even
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

/** The same of integers, which wrap at 32 bits. */
function integerFunction(fn: ScalarFn, type: 'i32' | 'u32'): Fn {
  const [fit, apply] = [wrap[type], functions[fn]];
  if (fn === 'mul') return (a, b) => fit(Math.imul(a, b));
  if (fn === 'shiftRight' && type === 'u32') return (a, b) => a >>> b;
  if (fn === 'div' || fn === 'mod') return (a, b) => (b === 0 ? 0 : fit(apply(a, b, 0)));
  return (a, b, c) => fit(apply(a, b, c));
}

/** 2/√π · exp(−x²) · Σ 2ⁿx²ⁿ⁺¹ / (2n+1)!!, whose terms have one sign, so that no digits cancel (Abramowitz & Stegun 7.1.6). */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let total = 0;
  for (let n = 0, term = x; Math.abs(term / total) > 1e-17; term *= (2 * x * x) / (2 * ++n + 1)) total += term;
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}
