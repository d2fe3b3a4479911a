// Products of rows with rows: a is [..., M, K], b the transposed view of [..., N, K]. A team of invocations runs along K
// for a few rows of a and a few of b, so that neighbours read neighbours, and reduces at the end.
import type { Call, Plan, View } from '@transept/tensor';
import type { Step, Target } from '../step.ts';
import { address, u32 } from '../wgsl/address.ts';
import { indent, readsByFours, Shader } from '../wgsl/shader.ts';
import { declareReductions, powerOfTwo } from '../wgsl/team.ts';
import type { Team } from '../wgsl/team.ts';
import type { Sizes } from './matmul.ts';

export function matmulDot(call: Call, plan: Plan, { batch, m, n, k }: Sizes, target: Target): Step {
  const [a, b] = call.inputs as readonly [View, View];
  const rows = Math.ceil(m / Math.ceil(m / target.tile.rows));
  const columns = target.tile.columns;
  const wide = [a, b].every((v) => readsByFours(call, v, v === a ? v.shape.length - 1 : v.shape.length - 2));
  const width = wide ? 4 : 1;
  const team = teamAlong(k / width, target);
  const shader = new Shader(call, plan, wide ? [a, b] : [], target.binding);
  declareReductions(shader, team, target, [{ name: 'teamSum', type: 'vec4<f32>', combine: (x, y) => `${x} + ${y}` }]);
  const lead = call.output.shape.length - 2;
  shader.declarePut([
    { axes: lead, at: 'batch' },
    { axes: 1, at: 'row' },
    { axes: 1, at: 'column' },
  ]);

  const rowBlocks = Math.ceil(m / rows);
  const columnBlocks = Math.ceil(n / columns);
  const tasks = batch * rowBlocks * columnBlocks;
  const { workgroups, code } = shader.grid(Math.ceil(tasks / team.teams), 'block');
  const load = (view: View, at: string): string => (wide ? shader.load4(view, at) : shader.load(view, at));
  const times = (x: string, w: string): string => (wide ? `dot(${x}, ${w})` : `${x} * ${w}`);
  const each = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const rowAt = (i: number): string => clamped('firstRow', i, m, rows);
  const columnAt = (i: number): string => clamped('firstColumn', i, n, columns);

  const sums = each(rows, (i) => each(columns / 4, (j) => `s${i}_${j}`));
  const results = rows * columns;
  const put = [
    `let row = firstRow + which / ${u32(columns)};`,
    `let column = firstColumn + which % ${u32(columns)};`,
    `if (mine && row < ${u32(m)} && column < ${u32(n)}) { put(value, batch, row, column); }`,
  ];
  const parts = sums.flat().flatMap((s) => each(4, (c) => `${s}[${c}]`));
  // A lane with one result finds it without memory.
  const stores =
    results <= team.lanes
      ? [
          'let which = part;',
          `var value = ${parts[0]};`,
          ...parts.slice(1).map((x, i) => `if (which == ${u32(i + 1)}) { value = ${x}; }`),
          ...put,
        ]
      : [
          `var results = array<f32, ${results}>(${parts.join(', ')});`,
          `for (var which = part; which < ${u32(results)}; which += ${u32(team.lanes)}) {`,
          indent(['let value = results[which];', ...put]),
          '}',
        ];

  return [
    shader.dispatch(team.size, workgroups, [
      code,
      `let wanted = block * ${u32(team.teams)} + lane / ${u32(team.lanes)};`,
      `let mine = wanted < ${u32(tasks)};`,
      `let task = min(wanted, ${u32(tasks - 1)});`,
      `let part = lane % ${u32(team.lanes)};`,
      `let firstColumn = (task % ${u32(columnBlocks)}) * ${u32(columns)};`,
      `let firstRow = ((task / ${u32(columnBlocks)}) % ${u32(rowBlocks)}) * ${u32(rows)};`,
      `let batch = task / ${u32(columnBlocks * rowBlocks)};`,
      ...each(rows, (i) => `let a${i} = ${start(a, lead, rowAt(i), 'row')};`),
      ...each(columns, (i) => `let w${i} = ${start(b, lead, columnAt(i), 'column')};`),
      ...sums.flat().map((s) => `var ${s} = vec4<f32>();`),
      `for (var k = part * ${u32(width)}; k < ${u32(k)}; k += ${u32(team.lanes * width)}) {`,
      ...each(columns, (i) => `  let y${i} = ${load(b, `w${i} + k`)};`),
      ...each(rows, (i) => `  let x${i} = ${load(a, `a${i} + k`)};`),
      ...sums.flatMap((row, i) =>
        row.map((s, j) => `  ${s} += vec4<f32>(${each(4, (c) => times(`x${i}`, `y${4 * j + c}`)).join(', ')});`),
      ),
      '}',
      ...sums.flat().map((s) => `${s} = teamSum(${s}, lane);`),
      ...stores,
    ]),
  ];
}

/** Where the row of an operand starts that runs along K. */
function start(view: View, lead: number, at: string, side: 'row' | 'column'): string {
  const one = { axes: 1, at: `(${at})` };
  const origin = { axes: 1, at: '0u' };
  const layout = side === 'row' ? withoutAxis(view, view.shape.length - 1) : withoutAxis(view, view.shape.length - 2);
  return address(layout, [{ axes: lead, at: 'batch' }, ...(side === 'row' ? [one, origin] : [origin, one])]);
}

/** A view whose axis has stride zero, to find where it begins. */
const withoutAxis = (view: View, axis: number): View => ({
  ...view,
  strides: view.strides.map((s, i) => (i === axis ? 0 : s)),
});

/** The i-th index of a block, held within its axis; rows beyond the end are computed but not stored. */
const clamped = (first: string, i: number, size: number, block: number): string => {
  const at = i === 0 ? first : `${first} + ${u32(i)}`;
  return size % block === 0 || i === 0 ? at : `min(${at}, ${u32(size - 1)})`;
};

function teamAlong(length: number, target: Target): Team {
  const most = target.subgroup > 1 ? Math.min(target.subgroup, 64) : 64;
  const lanes = target.software ? target.subgroup : Math.min(most, powerOfTwo(Math.ceil(length / 2)));
  const size = target.software ? lanes * 4 : 64;
  return { lanes, size, teams: size / lanes };
}
