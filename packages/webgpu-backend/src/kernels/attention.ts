// Attention with running softmax (Milakov & Gimelshein, arXiv:1805.02867). A workgroup takes a few rows of queries
// that read the same keys and goes over them in blocks: first each invocation scores keys of its own, then each sums up
// values for elements of its own. Scores and sums live in workgroup memory, so nothing has to be unrolled.
import { elements } from '@transept/tensor';
import type { Call, Plan, View } from '@transept/tensor';
import type { Dispatch, GpuKernel, Target } from '../step.ts';
import { address, u32 } from '../wgsl/address.ts';
import { literal } from '../wgsl/expression.ts';
import { indent, readsByFours, Shader } from '../wgsl/shader.ts';
import { declareReductions, powerOfTwo } from '../wgsl/team.ts';

/** The score of a key that is not seen, and the least that a seen key gets. */
const none = '-3.4028234e38';
const least = '-3.4e38';

export const attention = (target: Target): GpuKernel => ({
  epilogue: true,
  declines(call) {
    const { bytes } = divide(call, target);
    return bytes > workgroupBytes ? `a head takes ${bytes} bytes of workgroup memory of ${workgroupBytes}` : undefined;
  },
  prepare: (call, plan) => (elements(call.output.shape) === 0 ? [] : [prepareAttention(call, plan, target)]),
});

/** How the work is divided. */
interface Division {
  /** Elements of a head that are read at once, and how many such units q and k, and v, have. */
  readonly width: 1 | 4;
  readonly units: number;
  readonly valueUnits: number;
  /** Rows of queries for each head of keys: the positions of all heads that share it, and how many a workgroup takes. */
  readonly rows: number;
  readonly queries: number;
  /** Invocations of a workgroup, and keys of a block. */
  readonly size: number;
  readonly block: number;
  /** Invocations that take different keys for the same elements of the values. */
  readonly parts: number;
  /** Workgroup memory that this takes. */
  readonly bytes: number;
}

/** Workgroup memory that every device has, less what reductions need. */
const workgroupBytes = 16384 - 2048;
const scoreBytes = 4096;

function divide(call: Call, target: Target): Division {
  const [q, k, v] = call.inputs as readonly [View, View, View];
  const [, positions, heads, depth] = q.shape as readonly [number, number, number, number];
  const [, keys, keyHeads] = k.shape as readonly [number, number, number, number];
  const width = [q, k, v].every((x) => readsByFours(call, x, 3)) ? 4 : 1;
  const [units, valueUnits] = [depth / width, v.shape[3]! / width];
  const rows = (positions * heads) / keyHeads;
  const sizeFor = (queries: number): number =>
    target.software ? target.subgroup : Math.min(256 / powerOfTwo(queries), Math.max(64, powerOfTwo(keys)));
  const bytes = (queries: number): number =>
    4 * width * queries * (units + Math.max(sizeFor(queries), valueUnits)) + scoreBytes;
  let queries = Math.min(rows, target.queries);
  while (queries > 1 && bytes(queries) > workgroupBytes) queries--;
  const size = sizeFor(queries);
  const block = Math.min(powerOfTwo(keys), scoreBytes / 4 / powerOfTwo(queries));
  const parts = Math.max(1, Math.floor(size / valueUnits));
  return { width, units, valueUnits, rows, queries, size, block, parts, bytes: bytes(queries) };
}

function prepareAttention(call: Call, plan: Plan, target: Target): Dispatch {
  const [q, k, v] = call.inputs as readonly [View, View, View];
  const [batch, , heads] = q.shape as readonly [number, number, number];
  const [, keys, keyHeads] = k.shape as readonly [number, number, number];
  const { attrs } = call;
  const { width, units, valueUnits, rows, queries, size, block, parts } = divide(call, target);
  const shader = new Shader(call, plan, width === 4 ? [q, k, v] : []);
  const element = width === 4 ? 'vec4<f32>' : 'f32';
  const each = vector(queries);
  const load = (view: View, at: string): string => (width === 4 ? shader.load4(view, at) : shader.load(view, at));
  const at = (view: View, row: string, head: string, unit: string): string =>
    place(view, 'batch', row, head, width === 1 ? unit : `(${unit} * ${u32(width)})`);

  shader.declare(`var<workgroup> queries: array<${element}, ${queries * units}>;`);
  shader.declare(`var<workgroup> scores: array<${each.type}, ${block}>;`);
  shader.declare(`var<workgroup> sums: array<${element}, ${queries * parts * valueUnits}>;`);
  declareReductions(shader, { lanes: size, size, teams: 1 }, target, [
    { name: 'teamMax', type: each.type, combine: (a, b) => `max(${a}, ${b})` },
    { name: 'teamSum', type: each.type, combine: (a, b) => `${a} + ${b}` },
  ]);
  shader.declarePut(['batch', 'position', 'head', 'd'].map((name) => ({ axes: 1, at: name })));

  const share = heads / keyHeads;
  const rowBlocks = Math.ceil(rows / queries);
  const { workgroups, code } = shader.grid(batch * keyHeads * rowBlocks, 'task');
  const sumAt = (i: number): string => `e * ${u32(queries)} + ${u32(i)}`;
  return shader.dispatch(size, workgroups, [
    code,
    `let firstRow = (task % ${u32(rowBlocks)}) * ${u32(queries)};`,
    `let keyHead = (task / ${u32(rowBlocks)}) % ${u32(keyHeads)};`,
    `let batch = task / ${u32(rowBlocks * keyHeads)};`,
    ...range(queries).flatMap((i) => [
      `let row${i} = min(firstRow + ${u32(i)}, ${u32(rows - 1)});`,
      ...placeOf(`row${i}`, share, String(i)),
    ]),
    `for (var u = lane; u < ${u32(units)}; u += ${u32(size)}) {`,
    ...range(queries).map(
      (i) => `  queries[u * ${u32(queries)} + ${u32(i)}] = ${load(q, at(q, `position${i}`, `head${i}`, 'u'))};`,
    ),
    '}',
    `let before = ${shader.integer(attrs['start'], 0)};`,
    `let seen = min(${shader.integer(attrs['keys'], keys)}, ${keys});`,
    ...bounds(attrs['causal'] === true, attrs['window'] as number | undefined, `position${queries - 1}`),
    `var most = ${each.of(() => none)};`,
    `var total = ${each.of(() => '0.0')};`,
    'workgroupBarrier();',
    `for (var base = low; base < high; base += ${block}) {`,
    indent([
      `let count = u32(min(high - base, ${block}));`,
      `var top = ${each.of(() => none)};`,
      `for (var j = lane; j < count; j += ${u32(size)}) {`,
      '  let row = u32(base) + j;',
      `  var x = ${each.of(() => '0.0')};`,
      `  for (var u = 0u; u < ${u32(units)}; u++) {`,
      `    let y = ${load(k, at(k, 'row', 'keyHead', 'u'))};`,
      `    x += ${each.of((i) => times(width, `queries[u * ${u32(queries)} + ${u32(i)}]`, 'y'))};`,
      '  }',
      indent(finishScores(shader, queries)),
      '  scores[j] = x;',
      '  top = max(top, x);',
      '}',
      'top = max(most, teamMax(top, lane));',
      'let fade = exp(most - top);',
      'most = top;',
      'total *= fade;',
      `for (var j = lane; j < count; j += ${u32(size)}) {`,
      `  let p = select(${each.of(() => '0.0')}, exp(scores[j] - top), scores[j] > ${each.of(() => none)});`,
      '  scores[j] = p;',
      '  total += p;',
      '}',
      'workgroupBarrier();',
      `for (var e = lane; e < ${u32(parts * valueUnits)}; e += ${u32(size)}) {`,
      ...range(queries).map((i) => `  var sum${i} = sums[${sumAt(i)}] * ${each.part('fade', i)};`),
      `  for (var j = e / ${u32(valueUnits)}; j < count; j += ${u32(parts)}) {`,
      '    let p = scores[j];',
      // What no query sees may be anything in memory, and zero times anything is not always zero.
      `    if (${each.any(`p > ${each.of(() => '0.0')}`)}) {`,
      '      let row = u32(base) + j;',
      `      let y = ${load(v, at(v, 'row', 'keyHead', `(e % ${u32(valueUnits)})`))};`,
      ...range(queries).map((i) => `      sum${i} += ${each.part('p', i)} * y;`),
      '    }',
      '  }',
      ...range(queries).map((i) => `  sums[${sumAt(i)}] = sum${i};`),
      '}',
      'workgroupBarrier();',
    ]),
    '}',
    'total = teamSum(total, lane);',
    `for (var r = lane; r < ${u32(queries * valueUnits)}; r += ${u32(size)}) {`,
    indent([
      `let query = r / ${u32(valueUnits)};`,
      'let row = firstRow + query;',
      `if (row >= ${u32(rows)}) { break; }`,
      ...placeOf('row', share, ''),
      `let unit = r % ${u32(valueUnits)};`,
      `var sum = ${element}(0.0);`,
      `for (var i = 0u; i < ${u32(parts)}; i++) { sum += sums[(i * ${u32(valueUnits)} + unit) * ${u32(queries)} + query]; }`,
      `let whole = ${queries === 1 ? 'total' : 'total[query]'};`,
      `let value = sum * select(1.0 / whole, 0.0, whole == 0.0);`,
      ...(width === 1
        ? ['put(value, batch, position, head, unit);']
        : [`for (var c = 0u; c < 4u; c++) { put(value[c], batch, position, head, unit * 4u + c); }`]),
    ]),
    '}',
  ]);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const times = (width: number, a: string, b: string): string => (width === 1 ? `${a} * ${b}` : `dot(${a}, ${b})`);
const place = (view: View, ...spans: string[]): string =>
  address(
    view,
    spans.map((at) => ({ axes: 1, at })),
  );

/** Where the query of a row stands: neighbouring rows are the heads that share a head of keys, then positions. */
const placeOf = (row: string, share: number, suffix: string): string[] => [
  `let position${suffix} = ${share === 1 ? row : `${row} / ${u32(share)}`};`,
  `let head${suffix} = ${share === 1 ? 'keyHead' : `keyHead * ${u32(share)} + ${row} % ${u32(share)}`};`,
];

/** A number for each of a few queries: a vector, or a plain number for one query. */
interface Vector {
  readonly type: string;
  of(make: (i: number) => string): string;
  part(name: string, i: number): string;
  any(condition: string): string;
}

const vector = (count: number): Vector => ({
  type: count === 1 ? 'f32' : `vec${count}<f32>`,
  of: (make) => (count === 1 ? make(0) : `vec${count}<f32>(${range(count).map(make).join(', ')})`),
  part: (name, i) => (count === 1 ? name : `${name}[${i}]`),
  any: (condition) => (count === 1 ? condition : `any(${condition})`),
});

/** Makes scores of the products `x` of the queries with the key at `row`. */
function finishScores(shader: Shader, queries: number): string[] {
  const { attrs, inputs } = shader.call;
  const { scale, softcap, window } = attrs as { scale: number; softcap?: number; window?: number };
  const mask = attrs['mask'] === true ? inputs[3] : undefined;
  const bias = attrs['bias'] === true ? inputs[mask ? 4 : 3] : undefined;
  const each = vector(queries);
  const pair = (view: View, i: number): string =>
    shader.load(view, place(view, 'batch', `head${i}`, `position${i}`, 'row'));
  const sees = (i: number): string => {
    const ahead = `before + i32(position${i}) - i32(row)`;
    const tests: string[] = [];
    if (attrs['causal'] === true) tests.push(`${ahead} >= 0`);
    if (window !== undefined) tests.push(`abs(${ahead}) < ${window}`);
    if (mask) tests.push(`${pair(mask, i)} != 0`);
    return tests.join(' && ');
  };
  const code = [`x *= ${literal(scale, 'f32', shader)};`];
  if (softcap !== undefined) {
    const cap = literal(softcap, 'f32', shader);
    code.push(`x = ${cap} * ${each.of((i) => `${shader.use('tanh')}(${each.part('x', i)} / ${cap})`)};`);
  }
  if (bias) code.push(`x += ${each.of((i) => pair(bias, i))};`);
  code.push(`x = max(x, ${each.of(() => least)});`);
  if (sees(0) === '') return code;
  const seen = queries === 1 ? sees(0) : `vec${queries}<bool>(${range(queries).map(sees).join(', ')})`;
  return [...code, `x = select(${each.of(() => none)}, x, ${seen});`];
}

/** The keys that any query of the workgroup may see: from `low` up to `high`. */
function bounds(causal: boolean, window: number | undefined, last: string): string[] {
  const ends = [
    ...(causal ? [`before + i32(${last}) + 1`] : []),
    ...(window === undefined ? [] : [`before + i32(${last}) + ${window}`]),
  ];
  return [
    `let low = ${window === undefined ? '0' : `max(0, before + i32(position0) - ${window - 1})`};`,
    `let high = ${ends.reduce((a, b) => `min(${a}, ${b})`, 'seen')};`,
  ];
}
