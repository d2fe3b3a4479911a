// Softmax and its logarithm: a team of invocations a row, which finds the largest value, then the sum, then writes.
import type { GpuKernel, Target } from '../step.ts';
import { prepareRows, putElements } from '../wgsl/rows.ts';
import { max, sum } from '../wgsl/team.ts';

const kernel = (target: Target, result: string): GpuKernel => ({
  epilogue: true,
  prepare: (call, plan) =>
    prepareRows(call, plan, target, [max, sum], ({ shader, each, x }) => {
      putElements(shader);
      return [
        'var largest = -3.4028234e38;',
        ...each(`largest = max(largest, ${x});`),
        'largest = teamMax(largest, lane);',
        'var total = 0.0;',
        ...each(`total += exp(${x} - largest);`),
        'total = teamSum(total, lane);',
        ...each(`if (mine) { put(${result.replace('X', x)}, row, i); }`),
      ];
    }),
});

export const softmax = (target: Target): GpuKernel => kernel(target, 'exp(X - largest) / total');
export const logSoftmax = (target: Target): GpuKernel => kernel(target, 'X - largest - log(total)');
