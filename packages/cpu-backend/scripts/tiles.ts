// Writes the micro-kernels of matmul: functions that keep a tile of `rows` × (8 · `panels`) sums in registers. AssemblyScript has
// neither arrays of locals nor unrolling, so the source of every tile shape is made from one template.

/** Tile shapes: as many sums as 16 vector registers hold beside the operands, and at least 8 where there are panels enough. */
export const tileShapes: readonly (readonly [rows: number, panels: number])[] = [
  [1, 4],
  [1, 1],
  [2, 2],
  [2, 1],
  [3, 2],
  [3, 1],
  [4, 1],
  [5, 1],
  [6, 1],
];

const unroll = 4;

function tile(rows: number, panels: number): string {
  const r = Array.from({ length: rows }, (_, i) => i);
  const v = Array.from({ length: panels * 2 }, (_, i) => i);
  const vectorAt = (j: number) => ({ panel: j >> 1, offset: (j & 1) * 16 });
  const lines: string[] = [
    `/** c += a · b for ${rows} × ${panels * 8} elements of c; \`first\`: c is written, not added to. */`,
    `export function tile${rows}x${panels}(`,
    '  a: usize, aRow: usize, b: usize, bPanel: usize, c: usize, cRow: usize, depth: i32, first: bool,',
    '): void {',
  ];
  for (const i of r) lines.push(`  let a${i} = a${i ? ` + ${i === 1 ? '' : `${i} * `}aRow` : ''};`);
  for (let p = 0; p < panels; p++) lines.push(`  let b${p} = b${p ? ` + ${p === 1 ? '' : `${p} * `}bPanel` : ''};`);
  for (const i of r) lines.push(`  const c${i} = c${i ? ` + ${i === 1 ? '' : `${i} * `}cRow` : ''};`);
  for (const i of r) for (const j of v) lines.push(`  let s${i}_${j} = f32x4.splat(0.0);`);
  lines.push('  if (!first) {');
  for (const i of r) for (const j of v) lines.push(`    s${i}_${j} = v128.load(c${i}, ${j * 16});`);
  lines.push('  }');
  const step = (k: number): string[] => {
    const out: string[] = [];
    if (rows === 1) {
      out.push(`    x = v128.load32_splat(a0, ${k * 4});`);
      for (const j of v) {
        const { panel, offset } = vectorAt(j);
        out.push(`    s0_${j} = madd(x, v128.load(b${panel}, ${k * 32 + offset}), s0_${j});`);
      }
      return out;
    }
    for (const j of v) {
      const { panel, offset } = vectorAt(j);
      out.push(`    y${j} = v128.load(b${panel}, ${k * 32 + offset});`);
    }
    for (const i of r) {
      out.push(`    x = v128.load32_splat(a${i}, ${k * 4});`);
      for (const j of v) out.push(`    s${i}_${j} = madd(x, y${j}, s${i}_${j});`);
    }
    return out;
  };
  const advance = (n: number): string[] => [
    ...r.map((i) => `    a${i} += ${n * 4};`),
    ...Array.from({ length: panels }, (_, p) => `    b${p} += ${n * 32};`),
  ];
  lines.push('  let x = f32x4.splat(0.0);');
  if (rows > 1) for (const j of v) lines.push(`  let y${j} = f32x4.splat(0.0);`);
  lines.push(`  for (; depth >= ${unroll}; depth -= ${unroll}) {`);
  for (let k = 0; k < unroll; k++) lines.push(...step(k));
  lines.push(...advance(unroll), '  }', '  for (; depth > 0; depth--) {', ...step(0), ...advance(1), '  }');
  for (const i of r) for (const j of v) lines.push(`  v128.store(c${i}, s${i}_${j}, ${j * 16});`);
  lines.push('}', '');
  return lines.join('\n');
}

export const tilesSource = (): string =>
  [
    '// Made by scripts/tiles.ts when the WebAssembly is built.',
    "import { madd } from '../simd';",
    '',
    ...tileShapes.map(([rows, panels]) => tile(rows, panels)),
  ].join('\n');
