// Scalar expressions in WGSL. Each distinct subexpression becomes one `let`, however often it occurs.
import { expr as exprs } from '@transept/tensor';
import type { ComputeType, Expr, ScalarFn } from '@transept/tensor';
import type { LibraryFn } from './library.ts';

/** How the leaves of an expression are written, and where its statements go. */
export interface Scope {
  readonly types: exprs.LeafTypes;
  input(index: number): string;
  /** The coordinate along an axis, a u32. */
  index(axis: number): string;
  scalar(index: number): string;
  /** Appends a statement. */
  statement(text: string): void;
  /** Makes a function of the library known. */
  use(fn: LibraryFn): string;
}

/** Writes the statements that evaluate an expression; returns the name of its value. */
export function emitExpression(expr: Expr, scope: Scope): string {
  const byNode = new Map<Expr, string>();
  const byText = new Map<string, string>();
  const types = new Map<Expr, ComputeType>();

  const typeOf = (e: Expr): ComputeType => {
    let type = types.get(e);
    if (!type) types.set(e, (type = typeWithChildren(e)));
    return type;
  };
  const typeWithChildren = (e: Expr): ComputeType => {
    if (e.kind !== 'apply') return exprs.exprType(e.kind === 'cast' ? { ...e, arg: zero } : e, scope.types);
    if (exprs.scalarFns[e.fn].result === 'i32') return 'i32';
    return typeOf(e.args[e.fn === 'select' ? 1 : 0]!);
  };
  const named = (text: string): string => {
    let name = byText.get(text);
    if (!name) {
      byText.set(text, (name = `v${byText.size}`));
      scope.statement(`let ${name} = ${text};`);
    }
    return name;
  };
  const visit = (e: Expr): string => {
    let name = byNode.get(e);
    if (!name) byNode.set(e, (name = named(text(e))));
    return name;
  };
  const text = (e: Expr): string => {
    switch (e.kind) {
      case 'input':
        return scope.input(e.index);
      case 'index':
        return `i32(${scope.index(e.axis)})`;
      case 'scalar':
        return scope.scalar(e.scalar);
      case 'const':
        return literal(e.value, e.dtype, scope);
      case 'cast':
        return castText(visit(e.arg), typeOf(e.arg), e.dtype);
      case 'apply': {
        const special =
          e.fn === 'pow' && e.args[1]!.kind === 'const' ? power(visit(e.args[0]!), e.args[1]!.value) : undefined;
        return special ?? applyText(e.fn, e.args.map(visit), typeOf(e.args.at(-1)!), scope);
      }
      default:
        return e satisfies never;
    }
  };
  return visit(expr);
}
const zero = exprs.constant(0);

/** A constant. Infinities and NaN have no literals in WGSL, so their bits come from a variable. */
export function literal(value: number, dtype: ComputeType, scope: Pick<Scope, 'use'>): string {
  switch (dtype) {
    case 'i32':
      return `i32(${value | 0})`;
    case 'u32':
      return `${value >>> 0}u`;
    case 'f32': {
      const rounded = Math.fround(value);
      if (!Number.isFinite(rounded))
        return `${scope.use('fromBits')}(${Number.isNaN(rounded) ? '0x7fc00000u' : rounded > 0 ? '0x7f800000u' : '0xff800000u'})`;
      return `f32(${rounded})`;
    }
    default:
      return dtype satisfies never;
  }
}

function castText(value: string, from: ComputeType, to: ComputeType): string {
  if (from === to) return value;
  if (from !== 'f32' || to === 'f32') return `${to}(${value})`;
  // WGSL saturates at the largest f32 that fits, not at the largest integer.
  const [most, beyond] = to === 'i32' ? ['2147483647', '2147483648.0'] : ['4294967295u', '4294967296.0'];
  return `select(select(${to}(${value}), ${most}, ${value} >= ${beyond}), 0, ${value} != ${value})`;
}

/** Small whole powers by multiplication; undefined where `pow` has to do it. */
function power(x: string, exponent: number): string | undefined {
  if (exponent === 0.5) return `sqrt(${x})`;
  const n = Math.abs(exponent);
  if (!Number.isInteger(exponent) || n < 1 || n > 8) return undefined;
  const product = new Array<string>(n).fill(x).join(' * ');
  return exponent > 0 ? product : `1.0 / (${product})`;
}

function applyText(fn: ScalarFn, args: readonly string[], type: ComputeType, scope: Scope): string {
  const [a, b, c] = args as [string, string, string];
  switch (fn) {
    case 'add':
      return `${a} + ${b}`;
    case 'sub':
      return `${a} - ${b}`;
    case 'mul':
      return `${a} * ${b}`;
    case 'div':
      return type === 'f32' ? `${a} / ${b}` : `select(${a} / ${b}, 0, ${b} == 0)`;
    case 'mod':
      return type === 'f32' ? `${scope.use('remainder')}(${a}, ${b})` : `select(${a} % ${b}, 0, ${b} == 0)`;
    case 'max':
    case 'min':
      return `${fn}(${a}, ${b})`;
    case 'neg':
      return type === 'u32' ? `0u - ${a}` : `-${a}`;
    case 'sign':
      return type === 'u32' ? `min(${a}, 1u)` : `sign(${a})`;
    case 'pow':
    case 'sin':
    case 'cos':
    case 'tanh':
    case 'erf':
      return `${scope.use(fn)}(${args.join(', ')})`;
    case 'rsqrt':
      return `inverseSqrt(${a})`;
    case 'abs':
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'floor':
    case 'ceil':
    case 'round':
      return `${fn}(${a})`;
    case 'less':
      return `select(0, 1, ${a} < ${b})`;
    case 'lessEqual':
      return `select(0, 1, ${a} <= ${b})`;
    case 'equal':
      return `select(0, 1, ${a} == ${b})`;
    case 'select':
      return `select(${c}, ${b}, ${a} != 0)`;
    case 'and':
      return `${a} & ${b}`;
    case 'or':
      return `${a} | ${b}`;
    case 'xor':
      return `${a} ^ ${b}`;
    case 'shiftLeft':
      return `${a} << (u32(${b}) & 31u)`;
    case 'shiftRight':
      return `${a} >> (u32(${b}) & 31u)`;
    default:
      return fn satisfies never;
  }
}
