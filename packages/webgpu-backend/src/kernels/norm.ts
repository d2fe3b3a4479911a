// Layer normalisation and its root-mean-square form: a team of invocations a row.
import type { GpuKernel, Target } from '../step.ts';
import { literal } from '../wgsl/expression.ts';
import { prepareRows, putElements } from '../wgsl/rows.ts';
import type { RowsScope } from '../wgsl/rows.ts';
import { sum } from '../wgsl/team.ts';

/** The vector that scales or shifts, at position `i`. */
const vector = ({ shader }: RowsScope, input: number): string =>
  shader.at(shader.call.inputs[input]!, [{ axes: 1, at: 'i' }]);

const eps = ({ shader }: RowsScope): string => literal(shader.call.attrs['eps'] as number, 'f32', shader);

export const layerNorm = (target: Target): GpuKernel => ({
  epilogue: true,
  prepare: (call, plan) =>
    prepareRows(call, plan, target, [sum], (scope) => {
      const { shader, length, each, x } = scope;
      putElements(shader);
      return [
        'var total = 0.0;',
        ...each(`total += ${x};`),
        `let mean = teamSum(total, lane) / ${length}.0;`,
        'var spread = 0.0;',
        ...each(`let d = ${x} - mean;`, 'spread += d * d;'),
        `let scale = inverseSqrt(teamSum(spread, lane) / ${length}.0 + ${eps(scope)});`,
        ...each(`if (mine) { put((${x} - mean) * scale * ${vector(scope, 1)} + ${vector(scope, 2)}, row, i); }`),
      ];
    }),
});

export const rmsNorm = (target: Target): GpuKernel => ({
  epilogue: true,
  prepare: (call, plan) =>
    prepareRows(call, plan, target, [sum], (scope) => {
      const { shader, length, each, x } = scope;
      putElements(shader);
      return [
        'var squares = 0.0;',
        ...each(`let d = ${x};`, 'squares += d * d;'),
        `let scale = inverseSqrt(teamSum(squares, lane) / ${length}.0 + ${eps(scope)});`,
        ...each(`if (mine) { put(${x} * scale * ${vector(scope, 1)}, row, i); }`),
      ];
    }),
});
