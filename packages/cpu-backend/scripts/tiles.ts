// Writes the micro-kernels of matmul: functions that keep a tile of sums in registers, `rows` high and some vectors of four columns
// wide. AssemblyScript has neither arrays of locals nor unrolling, so the source of every tile shape is made from two templates:
// one for weights that are multiplied as f32, one for blocks of whole numbers.

/**
 * Tile shapes: at most 12 vectors of sums, which with their operands fill the 15 registers V8 hands out. A panel is four vectors wide:
 * one row takes one or two panels, two rows take one, more rows half of one.
 */
const tileShapes: readonly (readonly [rows: number, vectors: number])[] = [
  [1, 8],
  [1, 4],
  [2, 4],
  [3, 2],
  [4, 2],
  [5, 2],
  [6, 2],
];
/** Vectors of a panel. */
const panelVectors = 4;

/** How a panel holds a row of weights: bytes, and the loads that widen four of them to f32. */
interface Form {
  readonly suffix: string;
  readonly rowBytes: number;
  readonly load: (pointer: string, vector: number) => string;
}

const forms: readonly Form[] = [
  { suffix: '', rowBytes: 64, load: (pointer, vector) => `v128.load(${pointer}, ${vector * 16})` },
  {
    suffix: 'F16',
    rowBytes: 32,
    load: (pointer, vector) => `widenF16(v128.load_ext<i16>(${pointer}, ${vector * 8}), mask, scale)`,
  },
  {
    suffix: 'BF16',
    rowBytes: 32,
    load: (pointer, vector) => `i32x4.shl(v128.load_ext<u16>(${pointer}, ${vector * 8}), 16)`,
  },
];

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const offset = (i: number, stride: string): string => ['', ` + ${stride}`][i] ?? ` + ${i} * ${stride}`;
/** Constants that stay in registers: the engine would make those it knows anew in every turn of a loop. */
const held: readonly string[] = [
  '  const one = i32(b != 0);',
  '  const mask = halfMask(one);',
  '  const scale = halfScale(one);',
];
const sum = (i: number, j: number): string => `s${i}_${j}`;

function tile(rows: number, vectors: number, { suffix, rowBytes, load }: Form): string {
  const r = range(rows);
  const v = range(vectors);
  const panels = Math.ceil(vectors / panelVectors);
  const loadA = (i: number, name: string): string => `    ${name} = v128.load32_splat(a${i});`;
  const loadB = (j: number, name: string): string =>
    `    ${name} = ${load(`b${Math.floor(j / panelVectors)}`, j % panelVectors)};`;
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
    `/** c += a · b for ${rows} × ${vectors * 4} elements of c; \`first\`: c is written, not added to. */`,
    `export function tile${rows}x${vectors}${suffix}(`,
    '  a: usize, aRow: usize, b: usize, bPanel: usize, c: usize, cRow: usize, depth: i32, first: bool,',
    '): void {',
    ...r.map((i) => `  let a${i} = a${offset(i, 'aRow')};`),
    ...range(panels).map((p) => `  let b${p} = b${offset(p, 'bPanel')};`),
    ...r.map((i) => `  const c${i} = c${offset(i, 'cRow')};`),
    ...r.flatMap((i) => v.map((j) => `  let ${sum(i, j)} = f32x4.splat(0.0);`)),
    '  if (!first) {',
    ...r.flatMap((i) => v.map((j) => `    ${sum(i, j)} = v128.load(c${i}, ${j * 16});`)),
    '  }',
    ...(suffix === 'F16' ? held : []),
    ...range(rows < v.length ? rows : 1).map((i) => `  let x${i} = f32x4.splat(0.0);`),
    ...range(rows < v.length ? 1 : v.length).map((j) => `  let y${j} = f32x4.splat(0.0);`),
    '  for (; depth > 0; depth--) {',
    ...step,
    ...r.map((i) => `    a${i} += 4;`),
    ...range(panels).map((p) => `    b${p} += ${rowBytes};`),
    '  }',
    ...r.flatMap((i) => v.map((j) => `  v128.store(c${i}, ${sum(i, j)}, ${j * 16});`)),
    '}',
    '',
  ].join('\n');
}

/**
 * Blocks of 32 of depth (assembly/quantized.ts). Of b: eight scales in f16, then pairs of numbers of each of the eight columns; tiles are
 * one panel wide: panels follow one another in memory, and one stream is what processors fetch ahead of. Of a: the rows of
 * a tile side by side, first their scales, then what their sums start from, then pairs of numbers.
 */
interface Blocks {
  readonly suffix: string;
  readonly bytes: number;
  /** Turns of the inner loop for a block, and the bytes of b and of a row of a that one takes. */
  readonly turns: number;
  readonly turnBytes: number;
  readonly rowBytes: number;
  /** What the sums of a row start from. */
  readonly start: (i: number, rows: number) => string;
  readonly turn: (rows: number) => string[];
}

/** Rows of the highest tile of whole numbers: two registers go to products and two to weights. */
const mostBlockRows = 5;
/** Bytes of a block of one row of a. */
const recordBytes = 72;

const accumulate = (i: number, j: number, x: string, w: string): string =>
  `      ${sum(i, j)} = i32x4.add(${sum(i, j)}, i32x4.dot_i16x8_s(${x}, ${w}));`;
const loadPair = (i: number, pair: number, rows: number): string => `v128.load32_splat(a, ${4 * (pair * rows + i)})`;

/** Turns are `pairs` pairs of depth long. */
const q8 = (pairs: number): Blocks => ({
  suffix: 'Q8',
  bytes: 272,
  turns: 16 / pairs,
  turnBytes: 16 * pairs,
  rowBytes: 4 * pairs,
  start: () => 'i32x4.splat(0)',
  turn: (rows) =>
    range(pairs).flatMap((pair) => [
      ...range(2).map((j) => `      const w${pair}_${j} = v128.load_ext<i8>(b, ${pair * 16 + j * 8});`),
      ...range(rows).flatMap((i) => [
        `      const x${pair}_${i} = ${loadPair(i, pair, rows)};`,
        ...range(2).map((j) => accumulate(i, j, `x${pair}_${i}`, `w${pair}_${j}`)),
      ]),
    ]),
});

const q4: Blocks = {
  suffix: 'Q4',
  bytes: 144,
  turns: 4,
  turnBytes: 32,
  rowBytes: 16,
  start: (i, rows) => `v128.load32_splat(a, ${4 * (rows + i)})`,
  turn(rows) {
    const nibbles = (v: string, s: number): string => {
      const shifted = s === 0 ? v : `i16x8.shr_u(${v}, ${4 * s})`;
      return s === 3 ? shifted : `v128.and(${shifted}, low)`;
    };
    const held = rows === 1;
    return [
      ...(held ? range(4).map((s) => `      const x${s} = ${loadPair(0, s, 1)};`) : []),
      ...range(2).flatMap((j) => [
        `      const v${j} = v128.load(b, ${j * 16});`,
        ...range(4).flatMap((s) => [
          `      const w${j}_${s} = ${nibbles(`v${j}`, s)};`,
          ...range(rows).map((i) => accumulate(i, j, held ? `x${s}` : loadPair(i, s, rows), `w${j}_${s}`)),
        ]),
      ]),
    ];
  },
};

function blockTile(rows: number, blocks: Blocks): string {
  const r = range(rows);
  const v = range(2);
  const { suffix, bytes, turns, turnBytes, rowBytes } = blocks;
  return [
    `/** c = a · b for ${rows} × 8 elements of c, over so many blocks of depth. */`,
    `export function tile${rows}${suffix}(a: usize, b: usize, c: usize, cRow: usize, blocks: i32): void {`,
    ...r.map((i) => `  const c${i} = c${offset(i, 'cRow')};`),
    ...r.flatMap((i) => v.map((j) => `  v128.store(c${i}, f32x4.splat(0.0), ${j * 16});`)),
    ...held,
    ...(suffix === 'Q4' ? ['  const low = i16x8.splat(<i16>(15 * one));'] : []),
    '  for (; blocks > 0; blocks--) {',
    ...r.flatMap((i) => v.map((j) => `    let ${sum(i, j)} = ${blocks.start(i, rows)};`)),
    `    a += ${8 * rows};`,
    '    b += 16;',
    `    for (let turn = ${turns}; turn > 0; turn--) {`,
    ...blocks.turn(rows),
    `      a += ${rowBytes * rows};`,
    `      b += ${turnBytes};`,
    '    }',
    ...v.map((j) => `    const d${j} = widenF16(v128.load_ext<i16>(b - ${bytes}, ${j * 8}), mask, scale);`),
    ...r.flatMap((i) => [
      `    const y${i} = v128.load32_splat(a - ${recordBytes * rows - 4 * i});`,
      ...v.map(
        (j) =>
          `    v128.store(c${i}, madd(f32x4.mul(f32x4.convert_i32x4_s(${sum(i, j)}), y${i}), d${j}, v128.load(c${i}, ${j * 16})), ${j * 16});`,
      ),
    ]),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Calls the tile of a height. */
const blockChoice = (suffix: string): string =>
  [
    `export function tile${suffix}(rows: i32, a: usize, b: usize, c: usize, cRow: usize, blocks: i32): void {`,
    '  switch (rows) {',
    ...range(mostBlockRows).flatMap((i) => [
      i + 1 === mostBlockRows ? '    default:' : `    case ${i + 1}:`,
      `      return tile${i + 1}${suffix}(a, b, c, cRow, blocks);`,
    ]),
    '  }',
    '}',
    '',
  ].join('\n');

/** Calls the tile of a height; of those for one row, the one for two panels if `two`. */
function choice(name: string, parameters: string, suffix: string): string {
  const passed = parameters.replaceAll(/: \w+/g, '');
  const call = ([rows, vectors]: readonly [number, number]): string => `tile${rows}x${vectors}${suffix}(${passed})`;
  const [widest, ...others] = tileShapes;
  return [
    `export function ${name}(rows: i32, two: bool, ${parameters}): void {`,
    `  if (two) return ${call(widest!)};`,
    '  switch (rows) {',
    ...others.flatMap((shape) => [
      shape === others.at(-1) ? '    default:' : `    case ${shape[0]}:`,
      `      return ${call(shape)};`,
    ]),
    '  }',
    '}',
    '',
  ].join('\n');
}

const addTo = 'a: usize, aRow: usize, b: usize, bPanel: usize, c: usize, cRow: usize, depth: i32, first: bool';

export const tilesSource = (): string =>
  [
    '// Made by scripts/tiles.ts when the WebAssembly is built.',
    "import { halfMask, halfScale, madd, widenF16 } from '../assembly/simd';",
    '',
    ...forms.flatMap((form) => [
      ...tileShapes.map(([rows, vectors]) => tile(rows, vectors, form)),
      choice(`tile${form.suffix}`, addTo, form.suffix),
    ]),
    ...range(mostBlockRows).map((i) => blockTile(i + 1, q8(i < 1 ? 4 : 1))),
    blockChoice('Q8'),
    ...range(mostBlockRows).map((i) => blockTile(i + 1, q4)),
    blockChoice('Q4'),
  ].join('\n');
