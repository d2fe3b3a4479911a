// A team of invocations reduces each row.
import { computeType, elements } from '@transept/tensor';
import type { GpuKernel, Target } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { literal } from '../wgsl/expression.ts';
import { Shader } from '../wgsl/shader.ts';
import { declareReductions, findRow, teamFor } from '../wgsl/team.ts';

type ReduceFn = 'sum' | 'max' | 'min' | 'prod';

/** What reducing nothing gives. */
const identity = { sum: 0, prod: 1, max: -Infinity, min: Infinity } as const;
const combine: Readonly<Record<ReduceFn, (a: string, b: string) => string>> = {
  sum: (a, b) => `${a} + ${b}`,
  prod: (a, b) => `${a} * ${b}`,
  max: (a, b) => `max(${a}, ${b})`,
  min: (a, b) => `min(${a}, ${b})`,
};

export const reduce = (target: Target): GpuKernel => ({
  epilogue: true,
  prepare(call, plan) {
    const rows = elements(call.output.shape);
    if (rows === 0) return [];
    const x = call.inputs[0]!;
    const fn = call.attrs['fn'] as ReduceFn;
    const axes = call.attrs['axes'] as number;
    const lead = x.shape.length - axes;
    const length = elements(x.shape.slice(lead));
    const type = computeType(x.dtype);
    const shader = new Shader(call, plan);
    const team = teamFor(length, rows, target);
    declareReductions(shader, team, target, [{ name: 'teamReduce', type, combine: combine[fn] }]);
    shader.declarePut([{ axes: call.output.shape.length, at: 'row' }], type);
    const { workgroups, code } = findRow(shader, team, rows);
    const element = shader.at(x, [
      { axes: lead, at: 'row' },
      { axes, at: 'i' },
    ]);
    const first = type === 'f32' ? identity[fn] : saturated(identity[fn], type);
    return [
      shader.dispatch(team.size, workgroups, [
        ...code,
        `var r = ${literal(first, type, shader)};`,
        `for (var i = part; i < ${u32(length)}; i += ${u32(team.lanes)}) { r = ${combine[fn]('r', element)}; }`,
        'r = teamReduce(r, lane);',
        'if (mine && part == 0u) { put(r, row); }',
      ]),
    ];
  },
});

const saturated = (value: number, type: 'i32' | 'u32'): number => {
  const [least, most] = type === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return Math.min(most, Math.max(least, value));
};
