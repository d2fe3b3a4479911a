import type { Operator } from '../node.ts';
import { attentionOperators } from './attention.ts';
import { matmulOperators } from './matmul.ts';
import { normOperators } from './norm.ts';
import { pointwiseOperators } from './pointwise.ts';
import { quantizeOperators } from './quantize.ts';
import { reduceOperators } from './reduce.ts';
import { rowOperators } from './rows.ts';
import { shapeOperators } from './shape.ts';
import { trainingOperators } from './training.ts';

/** How each ONNX operator is built out of ours. */
export const operators: Readonly<Record<string, Operator>> = {
  ...pointwiseOperators,
  ...reduceOperators,
  ...normOperators,
  ...matmulOperators,
  ...attentionOperators,
  ...rowOperators,
  ...shapeOperators,
  ...quantizeOperators,
  ...trainingOperators,
};
