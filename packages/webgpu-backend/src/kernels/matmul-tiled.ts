// Products by tiles: 16 × 16 invocations hold a tile of the output in registers, four columns and up to four rows each,
// while slices of both operands pass through workgroup memory. Any strides; what lies outside a matrix counts as zero.
import type { Call, Plan, View } from '@transept/tensor';
import type { Step, Target } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { indent, Shader } from '../wgsl/shader.ts';
import type { Sizes } from './matmul.ts';

const side = 16;
const size = side * side;
/** Columns of a tile. It goes along K in steps of `side`, so that each invocation fills one vector of each slice. */
const tileN = 4 * side;

export function matmulTiled(call: Call, plan: Plan, { batch, m, n, k }: Sizes, target: Target): Step {
  const [a, b] = call.inputs as readonly [View, View];
  const rows = m <= side ? 1 : m <= 2 * side ? 2 : 4;
  const tileM = rows * side;
  const lead = call.output.shape.length - 2;
  const shader = new Shader(call, plan, [], target.binding);
  shader.declarePut([
    { axes: lead, at: 'batch' },
    { axes: 1, at: 'row' },
    { axes: 1, at: 'column' },
  ]);
  shader.declare(`var<workgroup> tileA: array<${vector(rows)}, ${size}>;`);
  shader.declare(`var<workgroup> tileB: array<${vector(4)}, ${size}>;`);
  shader.declare(
    [
      'fn putRow(values: vec4<f32>, batch: u32, row: u32, firstColumn: u32) {',
      `  if (row >= ${u32(m)}) { return; }`,
      `  for (var j = 0u; j < min(4u, ${u32(n)} - firstColumn); j++) { put(values[j], batch, row, firstColumn + j); }`,
      '}',
    ].join('\n'),
  );

  /** The element of an operand, or zero outside of it; `along` is the position along K, `across` that on the other axis. */
  const declareElement = (name: string, view: View, limit: number): void => {
    const spans = (view === a ? ['i', 'j'] : ['j', 'i']).map((at) => ({ axes: 1, at }));
    const element = shader.at(view, [{ axes: lead, at: 'batch' }, ...spans]);
    shader.declare(
      [
        `fn ${name}(batch: u32, across: u32, along: u32) -> f32 {`,
        `  let i = min(across, ${u32(limit - 1)});`,
        `  let j = min(along, ${u32(k - 1)});`,
        `  return select(0.0, ${element}, across < ${u32(limit)} && along < ${u32(k)});`,
        '}',
      ].join('\n'),
    );
  };
  declareElement('elementA', a, m);
  declareElement('elementB', b, n);
  /** Each invocation fills one vector of a slice, `perLane` neighbours; neighbours in memory are read together. */
  const fill = (tile: string, element: string, view: View, perLane: number, first: string): string[] => {
    const [alongK, across] = [view === a ? -1 : -2, view === a ? -2 : -1].map((axis) =>
      Math.abs(view.strides.at(axis)!),
    );
    const [at, dk] = alongK! <= across! ? ['y', 'x'] : ['x', 'y'];
    const elements = Array.from(
      { length: perLane },
      (_, i) => `${element}(batch, ${first} + ${at} * ${u32(perLane)} + ${u32(i)}, firstK + ${dk})`,
    );
    return [
      `${tile}[${dk} * ${u32(side)} + ${at}] = ${vector(perLane)}(`,
      indent(elements.map((e, i) => (i < perLane - 1 ? `${e},` : e))),
      ');',
    ];
  };

  const each = Array.from({ length: rows }, (_, i) => i);
  const part = (i: number): string => (rows === 1 ? 'left' : `left[${i}]`);
  const tilesM = Math.ceil(m / tileM);
  const tilesN = Math.ceil(n / tileN);
  const { workgroups, code } = shader.grid(batch * tilesM * tilesN, 'tile');
  return [
    shader.dispatch(size, workgroups, [
      code,
      `let firstColumn = (tile % ${u32(tilesN)}) * ${u32(tileN)};`,
      `let firstRow = ((tile / ${u32(tilesN)}) % ${u32(tilesM)}) * ${u32(tileM)};`,
      `let batch = tile / ${u32(tilesN * tilesM)};`,
      `let x = lane % ${u32(side)};`,
      `let y = lane / ${u32(side)};`,
      ...each.map((i) => `var sum${i} = vec4<f32>();`),
      `for (var firstK = 0u; firstK < ${u32(k)}; firstK += ${u32(side)}) {`,
      indent([
        ...fill('tileA', 'elementA', a, rows, 'firstRow'),
        ...fill('tileB', 'elementB', b, 4, 'firstColumn'),
        'workgroupBarrier();',
        `for (var dk = 0u; dk < ${u32(side)}; dk++) {`,
        `  let left = tileA[dk * ${u32(side)} + y];`,
        `  let right = tileB[dk * ${u32(side)} + x];`,
        ...each.map((i) => `  sum${i} += ${part(i)} * right;`),
        '}',
        'workgroupBarrier();',
      ]),
      '}',
      'let first = firstColumn + x * 4u;',
      `if (first >= ${u32(n)}) { return; }`,
      ...each.map((i) => `putRow(sum${i}, batch, firstRow + y * ${u32(rows)} + ${u32(i)}, first);`),
    ]),
  ];
}

const vector = (count: number): string => (count === 1 ? 'f32' : `vec${count}<f32>`);
