// pointwise: one expression, compiled.
import { elements } from '@transept/tensor';
import type { Expr, Kernel } from '@transept/tensor';
import type { Step } from '../step.ts';
import { compileExpression } from './expression.ts';

export const pointwise: Kernel<Step> = {
  prepare({ attrs, inputs, output }, plan) {
    const code = compileExpression(attrs['expr'] as Expr, inputs, output, plan);
    return {
      kernel: 'pointwise',
      work: elements(output.shape) * code.instructions,
      scratchBytes: code.scratchBytes,
      parameters: (at) => [code.place(at), at.scratch, at.scratchBytes],
    };
  },
};
