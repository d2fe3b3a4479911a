export * from './backend.ts';
export * from './dtype.ts';
export * from './errors.ts';
export * as expr from './expr.ts';
export type { Expr, ScalarFn } from './expr.ts';
export { Graph, shapeInCheckpoint, trace } from './graph.ts';
export type {
  CallNode,
  Operand,
  MergedOptions,
  Parameter,
  ParameterOptions,
  ParameterPart,
  StoredSource,
  Tensor,
  TracedGraph,
} from './graph.ts';
export { argmax } from './fused/argmax.ts';
export { attention, attentionWeights } from './fused/attention.ts';
export type { AttentionOptions } from './fused/attention.ts';
export { crossEntropy, crossEntropyGradient } from './fused/cross-entropy.ts';
export type { CrossEntropyOptions } from './fused/cross-entropy.ts';
export { layerNorm, rmsNorm } from './fused/norm.ts';
export { rope } from './fused/rope.ts';
export type { RopeOptions } from './fused/rope.ts';
export { logSoftmax, softmax } from './fused/softmax.ts';
export { apart, mapViews, readsOf, resultType, writesOf } from './joined.ts';
export { lower } from './lower/lower.ts';
export type { LowerOptions } from './lower/lower.ts';
export * from './ops/copy.ts';
export * from './ops/matmul.ts';
export * from './ops/pointwise.ts';
export * from './ops/reduce.ts';
export * from './ops/rows.ts';
export * from './ops/view.ts';
export * from './plan.ts';
export { formatCall, formatPlan } from './print.ts';
export { reference } from './reference/backend.ts';
export type { ReferenceOptions } from './reference/backend.ts';
export * from './shape.ts';
export { canStore, expandStored, f16Value, storableParameters, storageBlock, storedBytes } from './storage.ts';
export type { Storage } from './storage.ts';
