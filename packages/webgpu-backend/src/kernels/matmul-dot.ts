// Products of rows with rows: a is [..., M, K], b the transposed view of [..., N, K]. A team of invocations runs along K
// for a few rows of a and a few of b, so that neighbours read neighbours, and reduces at the end.
import type { Call, Plan, View } from '@transept/tensor';
import type { Step, Target } from '../step.ts';
import { address, u32 } from '../wgsl/address.ts';
import { indent, readsByFours, Shader } from '../wgsl/shader.ts';
import { declareReductions, powerOfTwo } from '../wgsl/team.ts';
import type { Team } from '../wgsl/team.ts';
import { normedRows } from '../wgsl/row-norm.ts';
import type { Sizes } from './matmul.ts';

export function matmulDot(call: Call, plan: Plan, sizes: Sizes, target: Target): Step {
  const { batch, m, n, k } = sizes;
  const [a, b] = call.inputs as readonly [View, View];
  const { prologue, epilogue, output } = call;
  const norms = prologue?.inputs ?? [];
  const alongK = [axisOf(a, -1), axisOf(b, -2), ...norms.map((v) => axisOf(v, -1))];
  const wide = alongK.every(({ view, axis }) => readsByFours(call, view, axis));
  const width = wide ? 4 : 1;
  const team = teamAlong(k / width, call, target);
  const { rows, columns, blocks } = tileOf(call, sizes, target);
  const shader = new Shader(call, plan, wide ? [a, b, ...norms] : [], target.binding);
  declareReductions(shader, team, target, [{ name: 'teamSum', type: 'vec4<f32>', combine: (x, y) => `${x} + ${y}` }]);
  const lead = output.shape.length - 2;
  shader.declarePut([
    { axes: lead, at: 'batch' },
    { axes: 1, at: 'row' },
    { axes: 1, at: 'column' },
  ]);

  const rowBlocks = Math.ceil(m / rows);
  const columnBlocks = Math.ceil(n / (columns * blocks));
  const tasks = batch * rowBlocks * columnBlocks;
  const { workgroups, code } = shader.grid(Math.ceil(tasks / team.teams), 'block');
  const load = (view: View, at: string): string => (wide ? shader.load4(view, at) : shader.load(view, at));
  const times = (x: string, w: string): string => (wide ? `dot(${x}, ${w})` : `${x} * ${w}`);
  const rowAt = (i: number): string => clamped('firstRow', i, m, rows);
  const columnAt = (i: number): string => {
    const at = clamped('firstColumn', i % columns, n, columns);
    return i < columns ? at : `${u32(n)} + ${at}`;
  };
  const overK = (...statements: readonly string[]): string[] => [
    `for (var k = part * ${u32(width)}; k < ${u32(k)}; k += ${u32(team.lanes * width)}) {`,
    indent(statements),
    '}',
  ];

  // A processor that plays GPU is slow to read and takes one row through many columns.
  const step = team.lanes * width;
  const keeps = prologue && target.software;
  const keeping = `var kept: array<${wide ? 'vec4<f32>' : 'f32'}, ${rows * Math.ceil(k / step)}>;`;
  const kept = (row: number): string => `kept[k / ${u32(step)} * ${u32(rows)} + ${u32(row)}]`;
  const raw = (row: number): string => load(a, `a${row} + k`);
  const norm =
    prologue &&
    normedRows(shader, prologue, {
      count: rows,
      length: k,
      width,
      raw,
      kept: keeps ? kept : undefined,
      each: overK,
    });
  const loadRows = each(rows, (i) => `let x${i} = ${norm?.at(i) ?? raw(i)};`);
  const leaveRows = (to: View): string[] => {
    const leave = each(rows, (i) => {
      const at = `${start(to, lead, rowAt(i), 'row')} + k`;
      return each(width, (c) => shader.store(to, `${at} + ${u32(c)}`, wide ? `x${i}[${c}]` : `x${i}`));
    });
    return ['if (mine && firstOfTask == 0u) {', indent(overK(...loadRows, ...leave.flat())), '}'];
  };

  const all = columns * (epilogue?.halves ? 2 : 1);
  const sums = each(rows, (i) => each(Math.ceil(all / 4), (j) => `s${i}_${j}`));
  const product = (i: number, column: number): string => (column < all ? times(`x${i}`, `y${column}`) : '0.0');
  const multiply = [
    ...each(all, (i) => `let w${i} = ${start(b, lead, columnAt(i), 'column')};`),
    ...sums.flat().map((s) => `var ${s} = vec4<f32>();`),
    ...overK(
      ...each(all, (i) => `let y${i} = ${load(b, `w${i} + k`)};`),
      ...loadRows,
      ...sums.flatMap((row, i) =>
        row.map((s, j) => `${s} += vec4<f32>(${each(4, (c) => product(i, 4 * j + c)).join(', ')});`),
      ),
    ),
    ...sums.flat().map((s) => `${s} = teamSum(${s}, lane);`),
    ...putResults(sums, all / columns, { ...sizes, rows, columns }, team),
  ];
  return [
    shader.dispatch(team.size, workgroups, [
      code,
      `let wanted = block * ${u32(team.teams)} + lane / ${u32(team.lanes)};`,
      `let mine = wanted < ${u32(tasks)};`,
      `let task = min(wanted, ${u32(tasks - 1)});`,
      `let part = lane % ${u32(team.lanes)};`,
      `let firstOfTask = (task % ${u32(columnBlocks)}) * ${u32(columns * blocks)};`,
      `let firstRow = ((task / ${u32(columnBlocks)}) % ${u32(rowBlocks)}) * ${u32(rows)};`,
      `let batch = task / ${u32(columnBlocks * rowBlocks)};`,
      ...each(rows, (i) => `let a${i} = ${start(a, lead, rowAt(i), 'row')};`),
      ...(keeps ? [keeping] : []),
      ...(norm?.before ?? []),
      ...(prologue?.output ? leaveRows(prologue.output) : []),
      ...inTurns(blocks, columns, n, multiply),
    ]),
  ];
}

const each = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const axisOf = (view: View, axis: number): { view: View; axis: number } => ({ view, axis: view.shape.length + axis });

/** Statements for each of a task's blocks of columns; all teams take all turns, as they reduce together. */
function inTurns(blocks: number, columns: number, n: number, statements: readonly string[]): string[] {
  if (blocks === 1) return ['let wantedColumn = firstOfTask;', 'let firstColumn = firstOfTask;', ...statements];
  const last = (Math.ceil(n / columns) - 1) * columns;
  return [
    `for (var turn = 0u; turn < ${u32(blocks)}; turn++) {`,
    indent([
      `let wantedColumn = firstOfTask + turn * ${u32(columns)};`,
      `let firstColumn = min(wantedColumn, ${u32(last)});`,
      ...statements,
    ]),
    '}',
  ];
}

interface Tile {
  /** Of the output, that a team has at a time. */
  readonly rows: number;
  readonly columns: number;
}

/** Each lane of a team stores results of its own. `sums` are a vec4 for four columns, those of the first half first. */
function putResults(
  sums: readonly (readonly string[])[],
  halves: number,
  { m, n, rows, columns }: Tile & Pick<Sizes, 'm' | 'n'>,
  { lanes }: Team,
): string[] {
  const count = rows * columns;
  const names = halves === 2 ? ['value', 'second'] : ['value'];
  const result = (i: number, half: number): string => {
    const column = (i % columns) + half * columns;
    return `${sums[Math.floor(i / columns)]![column >> 2]!}[${column & 3}]`;
  };
  const put = [
    `let row = firstRow + which / ${u32(columns)};`,
    `let column = wantedColumn + which % ${u32(columns)};`,
    `if (mine && row < ${u32(m)} && column < ${u32(n)}) { put(${names.join(', ')}, batch, row, column); }`,
  ];
  // A lane with one result finds it without memory.
  if (count <= lanes)
    return [
      'let which = part;',
      ...names.map((name, half) => `var ${name} = ${result(0, half)};`),
      ...each(count - 1, (i) => {
        const choose = names.map((name, half) => `${name} = ${result(i + 1, half)};`);
        return `if (which == ${u32(i + 1)}) { ${choose.join(' ')} }`;
      }),
      ...put,
    ];
  return [
    ...names.map((name, half) => {
      const values = each(count, (i) => result(i, half));
      return `var ${name}s = array<f32, ${count}>(${values.join(', ')});`;
    }),
    `for (var which = part; which < ${u32(count)}; which += ${u32(lanes)}) {`,
    indent([...names.map((name) => `let ${name} = ${name}s[which];`), ...put]),
    '}',
  ];
}

/** How many rows and columns of the output a team has at a time, and how many blocks of columns one after the other. */
function tileOf(
  { prologue, epilogue }: Call,
  { batch, m, n }: Sizes,
  { tile, software }: Target,
): Tile & { readonly blocks: number } {
  const rows = Math.ceil(m / Math.ceil(m / Math.min(tile.rows, prologue ? 4 : Infinity)));
  const columns = epilogue?.halves ? tile.columns / 2 : tile.columns;
  if (!prologue) return { rows, columns, blocks: 1 };
  // Rows are normed for each task: few tasks, but work for all processors.
  const tasks = batch * Math.ceil(m / rows) * Math.ceil(n / columns);
  const blocks = Math.floor(tasks / (software ? 8 : 2048));
  return { rows, columns, blocks: Math.min(Math.max(blocks, 1), 32) };
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

function teamAlong(length: number, { prologue }: Call, target: Target): Team {
  const most = target.subgroup > 1 ? Math.min(target.subgroup, 64) : 64;
  const lanes = target.software ? target.subgroup : Math.min(most, powerOfTwo(Math.ceil(length / 2)));
  const size = target.software ? (prologue ? lanes : lanes * 4) : 64;
  return { lanes, size, teams: size / lanes };
}
