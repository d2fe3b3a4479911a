// Products by tiles: 16 × 16 invocations hold a tile of the output in registers, four columns and up to four rows each,
// while slices of both operands pass through workgroup memory. Any strides; what lies outside a matrix counts as zero.
import type { Call, Plan, View } from '@transept/tensor';
import type { Step } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { indent, Shader } from '../wgsl/shader.ts';
import type { Sizes } from './matmul.ts';

const side = 16;
const size = side * side;
/** Columns of a tile, and how far it goes along K at a time. */
const tileN = 64;
const tileK = 16;

export function matmulTiled(call: Call, plan: Plan, { batch, m, n, k }: Sizes): Step {
  const [a, b] = call.inputs as readonly [View, View];
  const tileM = m <= 16 ? 16 : m <= 32 ? 32 : 64;
  const lead = call.output.shape.length - 2;
  const shader = new Shader(call, plan);
  shader.declarePut([
    { axes: lead, at: 'batch' },
    { axes: 1, at: 'row' },
    { axes: 1, at: 'column' },
  ]);
  // One more than the tile's width, so that neighbours along K fall into different banks.
  const pitchA = tileM + 1;
  const pitchB = tileN + 1;
  shader.declare(`var<workgroup> tileA: array<f32, ${tileK * pitchA}>;`);
  shader.declare(`var<workgroup> tileB: array<f32, ${tileK * pitchB}>;`);

  const each = (count: number, make: (i: number) => string): string[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const rows = each(tileM / side, (i) => `${i}`);
  const columns = each(tileN / side, (i) => `${i}`);
  const fill = (name: string, view: View, width: number, pitch: number, alongK: boolean): string[] => {
    const isA = view === a;
    const [across, limit] = isA ? ['row', m] : ['column', n];
    const origin = isA ? 'firstRow' : 'firstColumn';
    const spans = isA ? ['row', 'k'] : ['k', 'column'];
    const element = shader.at(view, [{ axes: lead, at: 'batch' }, ...spans.map((at) => ({ axes: 1, at }))]);
    return [
      `for (var e = lane; e < ${u32(width * tileK)}; e += ${u32(size)}) {`,
      alongK
        ? `  let dk = e % ${u32(tileK)}; let d = e / ${u32(tileK)};`
        : `  let d = e % ${u32(width)}; let dk = e / ${u32(width)};`,
      `  let k = firstK + dk; let ${across} = ${origin} + d;`,
      '  var value = 0.0;',
      `  if (k < ${u32(k)} && ${across} < ${u32(limit)}) { value = ${element}; }`,
      `  ${name}[dk * ${u32(pitch)} + d] = value;`,
      '}',
    ];
  };

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
      ...rows.flatMap((i) => columns.map((j) => `var s${i}${j} = 0.0;`)),
      `for (var firstK = 0u; firstK < ${u32(k)}; firstK += ${u32(tileK)}) {`,
      indent([
        ...fill('tileA', a, tileM, pitchA, Math.abs(a.strides.at(-1)!) <= Math.abs(a.strides.at(-2)!)),
        ...fill('tileB', b, tileN, pitchB, Math.abs(b.strides.at(-2)!) < Math.abs(b.strides.at(-1)!)),
        'workgroupBarrier();',
        `for (var dk = 0u; dk < ${u32(tileK)}; dk++) {`,
        ...rows.map((i) => `  let a${i} = tileA[dk * ${u32(pitchA)} + y + ${u32(+i * side)}];`),
        ...columns.map((j) => `  let b${j} = tileB[dk * ${u32(pitchB)} + x + ${u32(+j * side)}];`),
        ...rows.flatMap((i) => columns.map((j) => `  s${i}${j} += a${i} * b${j};`)),
        '}',
        'workgroupBarrier();',
      ]),
      '}',
      ...rows.flatMap((i) =>
        columns.flatMap((j) => [
          `if (firstRow + y + ${u32(+i * side)} < ${u32(m)} && firstColumn + x + ${u32(+j * side)} < ${u32(n)}) {`,
          `  put(s${i}${j}, batch, firstRow + y + ${u32(+i * side)}, firstColumn + x + ${u32(+j * side)});`,
          '}',
        ]),
      ),
    ]),
  ];
}
