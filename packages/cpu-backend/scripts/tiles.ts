// Writes the micro-kernels of matmul: functions that keep a tile of `rows` × (8 · `panels`) sums in registers. AssemblyScript has
// neither arrays of locals nor unrolling, so the source of every tile shape is made from one template.

/** Tile shapes: at most 12 vectors of sums, which with their operands fill the 15 registers V8 hands out. */
export const tileShapes: readonly (readonly [rows: number, panels: number])[] = [
  [1, 4],
  [1, 2],
  [1, 1],
  [2, 3],
  [2, 2],
  [2, 1],
  [3, 1],
  [4, 1],
  [5, 1],
  [6, 1],
];

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function tile(rows: number, panels: number): string {
  const r = range(rows);
  const v = range(panels * 2);
  const offset = (i: number, stride: string): string => ['', ` + ${stride}`][i] ?? ` + ${i} * ${stride}`;
  const sum = (i: number, j: number): string => `s${i}_${j}`;
  const loadA = (i: number, name: string): string => `    ${name} = v128.load32_splat(a${i});`;
  const loadB = (j: number, name: string): string => `    ${name} = v128.load(b${j >> 1}, ${(j & 1) * 16});`;
  const add = (i: number, j: number, x: string, y: string): string =>
    `    ${sum(i, j)} = madd(${x}, ${y}, ${sum(i, j)});`;
  // One step of depth, with the fewer of the two operands' vectors held in registers. Not unrolled: the engine does that itself,
  // and within one block it would order the sums one after the other, which leaves too few registers.
  const step =
    rows < v.length
      ? [
          ...r.map((i) => loadA(i, `x${i}`)),
          ...v.flatMap((j) => [loadB(j, 'y0'), ...r.map((i) => add(i, j, `x${i}`, 'y0'))]),
        ]
      : [
          ...v.map((j) => loadB(j, `y${j}`)),
          ...r.flatMap((i) => [loadA(i, 'x0'), ...v.map((j) => add(i, j, 'x0', `y${j}`))]),
        ];
  return [
    `/** c += a · b for ${rows} × ${panels * 8} elements of c; \`first\`: c is written, not added to. */`,
    `export function tile${rows}x${panels}(`,
    '  a: usize, aRow: usize, b: usize, bPanel: usize, c: usize, cRow: usize, depth: i32, first: bool,',
    '): void {',
    ...r.map((i) => `  let a${i} = a${offset(i, 'aRow')};`),
    ...range(panels).map((p) => `  let b${p} = b${offset(p, 'bPanel')};`),
    ...r.map((i) => `  const c${i} = c${offset(i, 'cRow')};`),
    ...r.flatMap((i) => v.map((j) => `  let ${sum(i, j)} = f32x4.splat(0.0);`)),
    '  if (!first) {',
    ...r.flatMap((i) => v.map((j) => `    ${sum(i, j)} = v128.load(c${i}, ${j * 16});`)),
    '  }',
    ...range(rows < v.length ? rows : 1).map((i) => `  let x${i} = f32x4.splat(0.0);`),
    ...range(rows < v.length ? 1 : v.length).map((j) => `  let y${j} = f32x4.splat(0.0);`),
    '  for (; depth > 0; depth--) {',
    ...step,
    ...r.map((i) => `    a${i} += 4;`),
    ...range(panels).map((p) => `    b${p} += 32;`),
    '  }',
    ...r.flatMap((i) => v.map((j) => `  v128.store(c${i}, ${sum(i, j)}, ${j * 16});`)),
    '}',
    '',
  ].join('\n');
}

export const tilesSource = (): string =>
  [
    '// Made by scripts/tiles.ts when the WebAssembly is built.',
    "import { madd } from '../assembly/simd';",
    '',
    ...tileShapes.map(([rows, panels]) => tile(rows, panels)),
  ].join('\n');
