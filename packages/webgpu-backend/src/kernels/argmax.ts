// The lowest index of the largest value of each row.
import type { GpuKernel, Target } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { prepareRows } from '../wgsl/rows.ts';
import { max } from '../wgsl/team.ts';
import type { Reduction } from '../wgsl/team.ts';

const lowest: Reduction = { name: 'teamLowest', type: 'u32', combine: (a, b) => `min(${a}, ${b})` };

export const argmax = (target: Target): GpuKernel => ({
  epilogue: true,
  prepare: (call, plan) =>
    prepareRows(call, plan, target, [max, lowest], ({ shader, length, each, x }) => {
      shader.declarePut([{ axes: call.output.shape.length, at: 'row' }], 'i32');
      return [
        'var best = -3.4028234e38;',
        `var at = min(part, ${u32(length - 1)});`,
        ...each(`let value = ${x};`, 'if (value > best) { best = value; at = i; }'),
        'let largest = teamMax(best, lane);',
        `at = teamLowest(select(${u32(length - 1)}, at, best == largest), lane);`,
        'if (mine && part == 0u) { put(i32(at), row); }',
      ];
    }),
});
