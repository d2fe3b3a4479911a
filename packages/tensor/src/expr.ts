// Scalar expressions: what happens to one element. A `pointwise` operation evaluates one for each element of its output,
// an epilogue for each element of another operation's output. They are plain data, so fusing is substituting.
import { DTypeError } from './errors.ts';
import type { ComputeType } from './dtype.ts';

export type Expr =
  /** The element of the `index`-th input at the position of the output element. */
  | { readonly kind: 'input'; readonly index: number }
  /** The position of the output element along an axis of the output, an i32. */
  | { readonly kind: 'index'; readonly axis: number }
  /** A number that is given anew on every run: the `scalar`-th of `Plan.scalars`. */
  | { readonly kind: 'scalar'; readonly scalar: number }
  | { readonly kind: 'const'; readonly value: number; readonly dtype: ComputeType }
  /** f32 → integer truncates towards zero and saturates; NaN gives 0. i32 ↔ u32 keeps the bits. */
  | { readonly kind: 'cast'; readonly dtype: ComputeType; readonly arg: Expr }
  | { readonly kind: 'apply'; readonly fn: ScalarFn; readonly args: readonly Expr[] };

/** What a function takes and gives: `T` is one compute type throughout; `f` f32 only; `n` an integer type. */
interface Signature {
  readonly args: readonly ('T' | 'f' | 'n' | 'i32')[];
  readonly result: 'T' | 'i32';
}
const sameTypes = (...args: Signature['args']): Signature => ({ args, result: 'T' });
const compares: Signature = { args: ['T', 'T'], result: 'i32' };

/** Every scalar function with its signature. Integer arithmetic wraps at 32 bits. */
export const scalarFns = {
  add: sameTypes('T', 'T'),
  sub: sameTypes('T', 'T'),
  mul: sameTypes('T', 'T'),
  /** Integers truncate towards zero; division of an integer by zero gives 0. */
  div: sameTypes('T', 'T'),
  /** Remainder with the sign of the dividend, as `%` in C and fmod; an integer modulo zero gives 0. */
  mod: sameTypes('T', 'T'),
  /** NaN in either argument may give NaN or the other argument. */
  max: sameTypes('T', 'T'),
  min: sameTypes('T', 'T'),
  /** x^y; a negative x is only defined for whole y. */
  pow: sameTypes('f', 'f'),
  neg: sameTypes('T'),
  abs: sameTypes('T'),
  /** -1, 0 or 1. */
  sign: sameTypes('T'),
  exp: sameTypes('f'),
  log: sameTypes('f'),
  sqrt: sameTypes('f'),
  rsqrt: sameTypes('f'),
  sin: sameTypes('f'),
  cos: sameTypes('f'),
  tanh: sameTypes('f'),
  erf: sameTypes('f'),
  floor: sameTypes('f'),
  ceil: sameTypes('f'),
  /** To the nearest whole number, halves to the even one. */
  round: sameTypes('f'),
  less: compares,
  lessEqual: compares,
  equal: compares,
  /** select(condition, ifTrue, ifFalse). */
  select: { args: ['i32', 'T', 'T'], result: 'T' },
  /** Bitwise; on truth values of 0 and 1 also logical. */
  and: sameTypes('n', 'n'),
  or: sameTypes('n', 'n'),
  xor: sameTypes('n', 'n'),
  /** Shift by 0 to 31 places; to the right, i32 keeps its sign. */
  shiftLeft: sameTypes('n', 'n'),
  shiftRight: sameTypes('n', 'n'),
} as const satisfies Record<string, Signature>;

export type ScalarFn = keyof typeof scalarFns;

export const input = (index: number): Expr => ({ kind: 'input', index });
export const index = (axis: number): Expr => ({ kind: 'index', axis });
export const constant = (value: number, dtype: ComputeType = 'f32'): Expr => ({ kind: 'const', value, dtype });
export const cast = (dtype: ComputeType, arg: Expr): Expr => ({ kind: 'cast', dtype, arg });
export const apply = (fn: ScalarFn, ...args: Expr[]): Expr => ({ kind: 'apply', fn, args });

/** The types an expression's leaves have. */
export interface LeafTypes {
  readonly inputs: readonly ComputeType[];
  readonly scalars: readonly ComputeType[];
}

/** The type of an expression's value. Throws a DTypeError where a function's arguments do not fit its signature. */
export function exprType(expr: Expr, leaves: LeafTypes): ComputeType {
  switch (expr.kind) {
    case 'input':
      return leaf('input', expr.index, leaves.inputs);
    case 'scalar':
      return leaf('scalar', expr.scalar, leaves.scalars);
    case 'index':
      return 'i32';
    case 'const':
    case 'cast':
      if (expr.kind === 'cast') exprType(expr.arg, leaves);
      return expr.dtype;
    case 'apply':
      return applyType(
        expr.fn,
        expr.args.map((a) => exprType(a, leaves)),
      );
    default:
      return expr satisfies never;
  }
}

function leaf(kind: string, at: number, types: readonly ComputeType[]): ComputeType {
  const type = types[at];
  if (!type) throw new DTypeError(`expression: no ${kind} ${at}: there are ${types.length}`);
  return type;
}

function applyType(fn: ScalarFn, args: readonly ComputeType[]): ComputeType {
  const signature: Signature = scalarFns[fn];
  let common: ComputeType | undefined;
  const fits =
    args.length === signature.args.length &&
    signature.args.every((want, i) => {
      const type = args[i]!;
      if (want === 'i32') return type === 'i32';
      if ((want === 'f' && type !== 'f32') || (want === 'n' && type === 'f32')) return false;
      common ??= type;
      return type === common;
    });
  if (!fits)
    throw new DTypeError(
      `${fn}: takes (${signature.args.join(', ')}), received (${args.join(', ')}); cast one side first`,
    );
  return signature.result === 'i32' ? 'i32' : common!;
}

/** Replace every input of an expression. */
export function substitute(expr: Expr, replacement: (index: number) => Expr): Expr {
  switch (expr.kind) {
    case 'input':
      return replacement(expr.index);
    case 'cast':
      return { ...expr, arg: substitute(expr.arg, replacement) };
    case 'apply':
      return { ...expr, args: expr.args.map((a) => substitute(a, replacement)) };
    case 'index':
    case 'scalar':
    case 'const':
      return expr;
    default:
      return expr satisfies never;
  }
}

/** Call `visit` on an expression and everything inside it. */
export function walk(expr: Expr, visit: (expr: Expr) => void): void {
  visit(expr);
  if (expr.kind === 'cast') walk(expr.arg, visit);
  if (expr.kind === 'apply') for (const arg of expr.args) walk(arg, visit);
}

export function usesIndex(expr: Expr): boolean {
  let found = false;
  walk(expr, (e) => (found ||= e.kind === 'index'));
  return found;
}

/** An expression for people: `max(a + 1, 0)` with inputs named a, b, c … and scalars s0, s1 … */
export function formatExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'input':
      return expr.index < 26 ? String.fromCharCode(97 + expr.index) : `in${expr.index}`;
    case 'index':
      return `i${expr.axis}`;
    case 'scalar':
      return `s${expr.scalar}`;
    case 'const':
      return `${expr.value}`;
    case 'cast':
      return `${expr.dtype}(${formatExpr(expr.arg)})`;
    case 'apply': {
      const infix = infixes[expr.fn];
      const args = expr.args.map(formatExpr);
      return infix ? `(${args.join(` ${infix} `)})` : `${expr.fn}(${args.join(', ')})`;
    }
    default:
      return expr satisfies never;
  }
}
const infixes: Partial<Record<ScalarFn, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  less: '<',
  lessEqual: '<=',
  equal: '==',
};
