// What a fused operation means: the same result from primitives and other fused operations.
import type { Tensor } from '../graph.ts';
import type { Attrs } from '../plan.ts';

export type Definition = (inputs: readonly Tensor[], attrs: Attrs) => Tensor;
