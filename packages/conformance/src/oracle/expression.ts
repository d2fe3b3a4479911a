// Scalar expressions over bounded numbers: the exact value of an element and all that a correct device may make of it.
import { expr as exprs } from '@transept/tensor';
import type { Arithmetic, ComputeType, Expr } from '@transept/tensor';
import { applyFloat, applyInteger, castTo, exact, literal, operand, square } from './bounded.ts';
import type { Bounded } from './bounded.ts';
import { conversion, floatFunction, integerFunction } from './functions.ts';

/** What an expression's leaves are for one element. */
export interface Leaves {
  readonly inputs: readonly Bounded[];
  readonly position: ArrayLike<number>;
  readonly scalars: readonly Bounded[];
}

export interface ExpressionOptions {
  readonly types: exprs.LeafTypes;
  readonly arithmetic: Arithmetic;
  /** Further error of each exponential, in ULP. */
  readonly expUlps?: number;
}

export type EvaluateBounded = (leaves: Leaves) => Bounded;

export function compileBounded(expr: Expr, options: ExpressionOptions): EvaluateBounded {
  const { types } = options;
  switch (expr.kind) {
    case 'input': {
      const { index } = expr;
      const float = types.inputs[index] === 'f32';
      return float ? (leaves) => operand(leaves.inputs[index]!) : (leaves) => leaves.inputs[index]!;
    }
    case 'index': {
      const { axis } = expr;
      return (leaves) => exact(leaves.position[axis]!);
    }
    case 'scalar': {
      const { scalar } = expr;
      return (leaves) => leaves.scalars[scalar]!;
    }
    case 'const': {
      const value = expr.dtype === 'f32' ? literal(expr.value) : exact(expr.value);
      return () => value;
    }
    case 'cast': {
      const arg = compileBounded(expr.arg, options);
      const from = exprs.exprType(expr.arg, types);
      const convert = conversion(expr.dtype, from);
      return (leaves) => castTo(expr.dtype, from, arg(leaves), convert);
    }
    case 'apply':
      return compileApply(expr, options);
    default:
      return expr satisfies never;
  }
}

function compileApply({ fn, args }: Extract<Expr, { kind: 'apply' }>, options: ExpressionOptions): EvaluateBounded {
  const { types, arithmetic, expUlps = 0 } = options;
  const [first, second] = args;
  const type: ComputeType = exprs.exprType(args.at(-1)!, types);
  if (fn === 'mul' && type === 'f32' && sameExpr(first!, second!)) {
    const arg = compileBounded(first!, options);
    return (leaves) => square(arg(leaves), arithmetic);
  }
  const compiled = args.map((a) => compileBounded(a, options));
  if (type !== 'f32') {
    const evaluate = integerFunction(fn, type);
    return (leaves) =>
      applyInteger(
        fn,
        compiled.map((arg) => arg(leaves)),
        evaluate,
      );
  }
  const evaluate = floatFunction(fn);
  const ulps = fn === 'exp' ? expUlps : 0;
  return (leaves) =>
    applyFloat(
      fn,
      compiled.map((arg) => arg(leaves)),
      evaluate,
      arithmetic,
      ulps,
    );
}

const sameExpr = (a: Expr, b: Expr): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
