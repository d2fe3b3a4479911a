export * from './backend.ts';
export * from './dtype.ts';
export * from './errors.ts';
export * as expr from './expr.ts';
export type { Expr, ScalarFn } from './expr.ts';
export * from './plan.ts';
export * from './shape.ts';
