// One invocation an element of the output: rows that an index or a running number names, clamped to the table.
import { computeType, elements } from '@transept/tensor';
import type { GpuKernel, Target } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { Shader } from '../wgsl/shader.ts';

const size = 64;

export const gather = (target: Target): GpuKernel => ({
  epilogue: true,
  prepare(call, plan) {
    const count = elements(call.output.shape);
    if (count === 0) return [];
    const [table, indices] = call.inputs;
    const rest = table!.shape.length - 1;
    const columns = elements(table!.shape.slice(1));
    const lead = call.output.shape.length - rest;
    const shader = new Shader(call, plan, [], target.binding);
    shader.declarePut(
      [
        { axes: lead, at: 'row' },
        { axes: rest, at: 'column' },
      ],
      computeType(table!.dtype),
    );
    const { workgroups, code } = shader.grid(Math.ceil(count / size), 'block');
    const wanted = indices
      ? `i32(${shader.at(indices, [{ axes: lead, at: 'row' }])})`
      : `${shader.integer(call.attrs['start'], 0)} + i32(row)`;
    return [
      shader.dispatch(size, workgroups, [
        code,
        `let i = block * ${u32(size)} + lane;`,
        `if (i >= ${u32(count)}) { return; }`,
        `let row = i / ${u32(columns)};`,
        `let column = i % ${u32(columns)};`,
        `let source = u32(clamp(${wanted}, 0, ${table!.shape[0]! - 1}));`,
        `put(${shader.at(table!, [
          { axes: 1, at: 'source' },
          { axes: rest, at: 'column' },
        ])}, row, column);`,
      ]),
    ];
  },
});
