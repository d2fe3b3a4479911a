// Attention with running softmax (Milakov & Gimelshein, arXiv:1805.02867). A workgroup takes a few rows of queries
// that read the same keys and goes over them in blocks: first each invocation scores keys of its own, then each sums up
// values for elements of its own. Scores and sums live in workgroup memory, so nothing has to be unrolled. Few queries over
// many keys are shared out along the keys too (Dao et al., "Flash-Decoding", 2023), and a second dispatch merges the parts.
import { elements } from '@transept/tensor';
import type { Call, Plan, View } from '@transept/tensor';
import { scratch } from '../step.ts';
import type { GpuKernel, Step, Target } from '../step.ts';
import { address, u32 } from '../wgsl/address.ts';
import { literal } from '../wgsl/expression.ts';
import { indent, readsByFours, Shader } from '../wgsl/shader.ts';
import { declareReductions, powerOfTwo } from '../wgsl/team.ts';
import { mergeAttention, placeOf } from './attention-merge.ts';

/** The score of a key that is not seen, and the least that a seen key gets. */
const none = '-3.4028234e38';
const least = '-3.4e38';

export const attention = (target: Target): GpuKernel => ({
  epilogue: true,
  declines(call) {
    const { bytes } = divide(call, target);
    return bytes > workgroupBytes ? `a head takes ${bytes} bytes of workgroup memory of ${workgroupBytes}` : undefined;
  },
  prepare: (call, plan) => (elements(call.output.shape) === 0 ? [] : prepareAttention(call, plan, target)),
  describe(call) {
    const { rows, queries, size, splits } = divide(call, target);
    const shares = splits === 1 ? '' : `, keys in ${splits} parts`;
    return `${Math.min(rows, queries)} queries a workgroup of ${size}${shares}`;
  },
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
  /** Workgroups that take different keys for the same queries. */
  readonly splits: number;
  /** Workgroup memory that this takes. */
  readonly bytes: number;
}

/** A second dispatch costs more than fewer parts save. */
const fewestSplits = 4;

/** Workgroup memory that every device has, less what reductions need. */
const workgroupBytes = 16384 - 2048;
const scoreBytes = 4096;

function divide(call: Call, target: Target): Division {
  const [q, k, v] = call.inputs as readonly [View, View, View];
  const [batch, positions, heads, depth] = q.shape as readonly [number, number, number, number];
  const [, keys, keyHeads] = k.shape as readonly [number, number, number, number];
  const width = [q, k, v].every((x) => readsByFours(call, x, 3)) ? 4 : 1;
  const [units, valueUnits] = [depth / width, v.shape[3]! / width];
  const rows = (positions * heads) / keyHeads;
  const splitsFor = (queries: number): number => {
    const tasks = batch * keyHeads * Math.ceil(rows / queries);
    const { workgroups, keys: fewest } = target.split;
    const splits = Math.min(Math.floor(workgroups / tasks), Math.floor(keys / fewest));
    return splits < fewestSplits ? 1 : splits;
  };
  const sizeFor = (queries: number): number =>
    target.software ? target.subgroup : Math.min(256 / powerOfTwo(queries), Math.max(64, powerOfTwo(keys)));
  const bytes = (queries: number): number =>
    4 * width * queries * (units + Math.max(sizeFor(queries), valueUnits)) + scoreBytes;
  let queries = Math.min(rows, target.queries);
  while (queries > 1 && bytes(queries) > workgroupBytes) queries--;
  const size = sizeFor(queries);
  const splits = splitsFor(queries);
  const block = Math.min(powerOfTwo(Math.ceil(keys / splits)), scoreBytes / 4 / powerOfTwo(queries));
  const parts = Math.max(1, Math.floor(size / valueUnits));
  return { width, units, valueUnits, rows, queries, size, block, parts, splits, bytes: bytes(queries) };
}

function prepareAttention(call: Call, plan: Plan, target: Target): Step {
  const [q, k, v] = call.inputs as readonly [View, View, View];
  const [batch, , heads] = q.shape as readonly [number, number, number];
  const [, keys, keyHeads] = k.shape as readonly [number, number, number];
  const { attrs } = call;
  const { width, units, valueUnits, rows, queries, size, block, parts, splits } = divide(call, target);
  const rowBlocks = Math.ceil(rows / queries);
  const tasks = batch * keyHeads * rowBlocks * splits;
  const valueSize = valueUnits * width;
  /** Of every task and query: the unscaled sum of values, the largest score, and the sum of exponentials. */
  const partial: View = {
    buffer: scratch,
    dtype: 'f32',
    offset: 0,
    shape: [tasks * queries, valueSize + 2],
    strides: [valueSize + 2, 1],
  };
  const { epilogue: _, ...bare } = call;
  const shader = new Shader(splits === 1 ? call : { ...bare, output: partial }, plan, width === 4 ? [q, k, v] : []);
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

  const share = heads / keyHeads;
  const { workgroups, code } = shader.grid(tasks, splits === 1 ? 'task' : 'part');
  const sumAt = (i: number): string => `e * ${u32(queries)} + ${u32(i)}`;
  const sumOf = (unit: string): string[] => [
    `var sum = ${element}(0.0);`,
    `for (var i = 0u; i < ${u32(parts)}; i++) { sum += sums[(i * ${u32(valueUnits)} + ${unit}) * ${u32(queries)} + query]; }`,
  ];
  const body = [
    code,
    ...(splits === 1 ? [] : [`let task = part / ${u32(splits)};`]),
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
    ...bounds(attrs['causal'] === true, attrs['window'] as number | undefined, `position${queries - 1}`, splits),
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
    `  let query = r / ${u32(valueUnits)};`,
    `  let unit = r % ${u32(valueUnits)};`,
  ];
  if (splits > 1) {
    const place = (query: string, at: string): string =>
      `(part * ${u32(queries)} + ${query}) * ${u32(valueSize + 2)} + ${at}`;
    const keep = (at: string, value: string): string => shader.store(partial, place('query', at), value);
    const first = shader.dispatch(size, workgroups, [
      ...body,
      indent([
        ...sumOf('unit'),
        ...(width === 1 ? [keep('unit', 'sum')] : range(4).map((c) => keep(`unit * 4u + ${u32(c)}`, `sum[${c}]`))),
        'if (unit == 0u) {',
        `  ${keep(u32(valueSize), queries === 1 ? 'most' : 'most[query]')}`,
        `  ${keep(u32(valueSize + 1), queries === 1 ? 'total' : 'total[query]')}`,
        '}',
      ]),
      '}',
    ]);
    return [first, mergeAttention(call, plan, partial, { rows, queries, splits, share })];
  }
  shader.declarePut(['batch', 'position', 'head', 'd'].map((name) => ({ axes: 1, at: name })));
  return [
    shader.dispatch(size, workgroups, [
      ...body,
      indent([
        'let row = firstRow + query;',
        `if (row >= ${u32(rows)}) { break; }`,
        ...placeOf('row', share, ''),
        ...sumOf('unit'),
        `let whole = ${queries === 1 ? 'total' : 'total[query]'};`,
        `let value = sum * select(1.0 / whole, 0.0, whole == 0.0);`,
        ...(width === 1
          ? ['put(value, batch, position, head, unit);']
          : [`for (var c = 0u; c < 4u; c++) { put(value[c], batch, position, head, unit * 4u + c); }`]),
      ]),
      '}',
    ]),
  ];
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const times = (width: number, a: string, b: string): string => (width === 1 ? `${a} * ${b}` : `dot(${a}, ${b})`);
const place = (view: View, ...spans: string[]): string =>
  address(
    view,
    spans.map((at) => ({ axes: 1, at })),
  );

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

/** The keys that any query of the workgroup may see, or its part of them: from `low` up to `high`. */
function bounds(causal: boolean, window: number | undefined, last: string, splits: number): string[] {
  const ends = [
    ...(causal ? [`before + i32(${last}) + 1`] : []),
    ...(window === undefined ? [] : [`before + i32(${last}) + ${window}`]),
  ];
  const first = window === undefined ? '0' : `max(0, before + i32(position0) - ${window - 1})`;
  const end = ends.reduce((a, b) => `min(${a}, ${b})`, 'seen');
  if (splits === 1) return [`let low = ${first};`, `let high = ${end};`];
  return [
    `let first = ${first};`,
    `let end = ${end};`,
    `let share = (max(end - first, 0) + ${splits - 1}) / ${splits};`,
    `let low = first + i32(part % ${u32(splits)}) * share;`,
    'let high = min(end, low + share);',
  ];
}
