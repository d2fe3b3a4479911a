// Products without any sharing between invocations: each takes one column of b and a few rows of a, neighbours take
// neighbouring columns. Any strides.
import type { Call, Plan, View } from '@transept/tensor';
import type { Step, Target } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { Shader } from '../wgsl/shader.ts';
import type { Sizes } from './matmul.ts';

const size = 64;

export function matmulPlain(call: Call, plan: Plan, { batch, m, n, k }: Sizes, target: Target): Step {
  const [a, b] = call.inputs as readonly [View, View];
  const rows = Array.from({ length: Math.min(m, 4) }, (_, i) => i);
  const rowBlocks = Math.ceil(m / rows.length);
  const tasks = batch * rowBlocks * n;
  const lead = call.output.shape.length - 2;
  const shader = new Shader(call, plan, [], target.binding);
  shader.declarePut([
    { axes: lead, at: 'batch' },
    { axes: 1, at: 'row' },
    { axes: 1, at: 'column' },
  ]);
  const element = (view: View, ...at: string[]): string =>
    shader.at(view, [{ axes: lead, at: 'batch' }, ...at.map((name) => ({ axes: 1, at: name }))]);
  const { workgroups, code } = shader.grid(Math.ceil(tasks / size), 'block');
  return [
    shader.dispatch(size, workgroups, [
      code,
      `let task = block * ${u32(size)} + lane;`,
      `if (task >= ${u32(tasks)}) { return; }`,
      `let column = task % ${u32(n)};`,
      `let firstRow = ((task / ${u32(n)}) % ${u32(rowBlocks)}) * ${u32(rows.length)};`,
      `let batch = task / ${u32(n * rowBlocks)};`,
      ...rows.flatMap((i) => [`let row${i} = min(firstRow + ${u32(i)}, ${u32(m - 1)});`, `var s${i} = 0.0;`]),
      `for (var k = 0u; k < ${u32(k)}; k++) {`,
      `  let y = ${element(b, 'k', 'column')};`,
      ...rows.map((i) => `  s${i} += ${element(a, `row${i}`, 'k')} * y;`),
      '}',
      ...rows.map((i) => `if (firstRow + ${u32(i)} < ${u32(m)}) { put(s${i}, batch, row${i}, column); }`),
    ]),
  ];
}
