// Rows written to, or added to, rows of a view in place. Rows in sequence are independent, so each element has its own
// invocation; with indices an invocation owns a column and walks the rows in order, because equal indices may occur.
import { elements } from '@transept/tensor';
import type { GpuKernel } from '../step.ts';
import { address, u32 } from '../wgsl/address.ts';
import { Shader } from '../wgsl/shader.ts';

const size = 64;

export const scatter: GpuKernel = {
  prepare(call, plan) {
    const [updates, indices] = call.inputs;
    const { output } = call;
    const rest = output.shape.length - 1;
    const columns = elements(output.shape.slice(1));
    const rows = updates!.shape[0]!;
    if (rows * columns * output.shape[0]! === 0) return [];
    const shader = new Shader(call, plan);
    const target = address(output, [
      { axes: 1, at: 'place' },
      { axes: rest, at: 'column' },
    ]);
    const update = shader.at(updates!, [
      { axes: 1, at: 'row' },
      { axes: rest, at: 'column' },
    ]);
    const value = call.attrs['mode'] === 'add' ? `${shader.load(output, target)} + ${update}` : update;
    const inOrder = indices !== undefined && rows > 1;
    const count = inOrder ? columns : rows * columns;
    const wanted = indices
      ? `i32(${shader.at(indices, [{ axes: 1, at: 'row' }])})`
      : `${shader.integer(call.attrs['start'], 0)} + i32(row)`;
    const write = [
      `let wanted = ${wanted};`,
      `if (wanted >= 0 && wanted < ${output.shape[0]!}) {`,
      '  let place = u32(wanted);',
      `  ${shader.store(output, target, value)}`,
      '}',
    ];
    const { workgroups, code } = shader.grid(Math.ceil(count / size), 'block');
    return [
      shader.dispatch(size, workgroups, [
        code,
        `let i = block * ${u32(size)} + lane;`,
        `if (i >= ${u32(count)}) { return; }`,
        ...(inOrder
          ? ['let column = i;', `for (var row = 0u; row < ${u32(rows)}; row++) {`, ...write.map((l) => `  ${l}`), '}']
          : [`let row = i / ${u32(columns)};`, `let column = i % ${u32(columns)};`, ...write]),
      ]),
    ];
  },
};
