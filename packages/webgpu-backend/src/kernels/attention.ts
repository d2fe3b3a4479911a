// Attention with running softmax (Milakov & Gimelshein, arXiv:1805.02867): a team of invocations takes a few queries of
// one head over all the keys they see, four keys at a time. Some lanes of the team share the head's size between them,
// the others take different keys and are merged at the end (flash decoding), so no scores go through memory.
import { elements } from '@transept/tensor';
import type { Call, Plan, View } from '@transept/tensor';
import type { Dispatch, GpuKernel, Target } from '../step.ts';
import { address, u32 } from '../wgsl/address.ts';
import { literal } from '../wgsl/expression.ts';
import { indent, readsByFours, Shader } from '../wgsl/shader.ts';
import { declareReductions, powerOfTwo } from '../wgsl/team.ts';
import type { Reduction, Team } from '../wgsl/team.ts';

const none = '-3.4028234e38';

export const attention = (target: Target): GpuKernel => ({
  epilogue: true,
  prepare: (call, plan) => (elements(call.output.shape) === 0 ? [] : [prepareAttention(call, plan, target)]),
});

/** How the work is divided. */
interface Division {
  /** Elements of the head size that a lane reads at once, and how many such units q and k, and v, have. */
  readonly width: 1 | 4;
  readonly units: number;
  readonly valueUnits: number;
  /** Lanes that share the head's size, and how many units each of them has at most. */
  readonly across: number;
  readonly each: number;
  readonly valueEach: number;
  /** Queries of a team. */
  readonly queries: number;
  readonly team: Team;
}

function divide(call: Call, target: Target): Division {
  const [q, k, v] = call.inputs as readonly [View, View, View];
  const [batch, positions, heads, depth] = q.shape as readonly [number, number, number, number];
  const keys = k.shape[1]!;
  const valueDepth = v.shape[3]!;
  const width = [q, k, v].every((x) => readsByFours(call, x, 3)) ? 4 : 1;
  const units = depth / width;
  const valueUnits = valueDepth / width;
  const smaller = Math.max(1, Math.min(units, valueUnits));
  const across = Math.min(target.subgroup, target.software ? 4 : 8, 2 ** Math.floor(Math.log2(smaller)));
  const each = Math.ceil(units / across);
  const valueEach = Math.ceil(valueUnits / across);
  // A compiler for CPUs takes seconds over more than two.
  const most = !target.software && (each + valueEach) * width <= 32 ? 4 : 2;
  const queries = Math.min(positions, most);
  const teams = batch * heads * Math.ceil(positions / queries);
  return { width, units, valueUnits, across, each, valueEach, queries, team: teamOf(teams, keys, across, target) };
}

function teamOf(teams: number, keys: number, across: number, target: Target): Team {
  if (target.software) {
    const lanes = target.subgroup;
    const size = lanes * Math.min(4, powerOfTwo(Math.ceil(teams / 4)));
    return { lanes, size, teams: size / lanes };
  }
  const wanted = powerOfTwo(Math.ceil(keys / 16)) * across;
  const lanes = Math.min(256, Math.max(target.subgroup, 32, wanted));
  return { lanes, size: lanes, teams: 1 };
}

function prepareAttention(call: Call, plan: Plan, target: Target): Dispatch {
  const [q, k, v] = call.inputs as readonly [View, View, View];
  const { attrs } = call;
  const [batch, positions, heads] = q.shape as readonly [number, number, number];
  const keys = k.shape[1]!;
  const division = divide(call, target);
  const { width, units, valueUnits, across, each, valueEach, queries, team } = division;
  const shader = new Shader(call, plan, width === 4 ? [q, k, v] : []);
  declareMerges(shader, division, target);
  shader.declarePut(['batch', 'position', 'head', 'd'].map((at) => ({ axes: 1, at })));

  const element = width === 4 ? 'vec4<f32>' : 'f32';
  const load = (view: View, at: string): string => (width === 4 ? shader.load4(view, at) : shader.load(view, at));
  const along = (view: View): string => (view.strides[3] === 1 ? 'd' : `d * ${u32(view.strides[3]!)}`);
  /**
   * The statements for each of the lane's units, which is its `j`-th and starts at element `d` of the head. Only as many
   * as `count` says are done by any lane, or all where it is 0.
   */
  const forUnits = (perLane: number, count: number, body: (j: string) => string[]): string[] => {
    const unit = (j: string): string[] => {
      const at = `let d = (part % ${u32(across)} + ${j} * ${u32(across)}) * ${u32(width)};`;
      const whole = count % across === 0;
      return [at, ...(whole ? body(j) : [`if (d < ${u32(count * width)}) {`, indent(body(j)), '}'])];
    };
    // A compiler for CPUs takes seconds over what one for GPUs wants unrolled.
    if (target.software && perLane > 1) return [`for (var j = 0u; j < ${u32(perLane)}; j++) {`, indent(unit('j')), '}'];
    return range(perLane).flatMap((j) => ['{', indent(unit(u32(j))), '}']);
  };

  const loop = [
    ...fours.flatMap((c) => [
      `let key${c} = base + i32(kpart * ${u32(fours.length)}) + ${c};`,
      `let row${c} = u32(clamp(key${c}, 0, ${keys - 1}));`,
      `let k${c} = ${place(k, 'batch', `row${c}`, 'keyHead', '0u')};`,
      `let v${c} = ${place(v, 'batch', `row${c}`, 'keyHead', '0u')};`,
    ]),
    ...range(queries).map((i) => `var s${i} = vec4<f32>();`),
    ...forUnits(each, units, (j) => [
      ...fours.map((c) => `let x${c} = ${load(k, `k${c} + ${along(k)}`)};`),
      ...range(queries).flatMap((i) => [
        `let y${i} = q${i}[${j}];`,
        `s${i} += ${four((c) => (width === 4 ? `dot(y${i}, x${c})` : `y${i} * x${c}`))};`,
      ]),
    ]),
    ...range(queries).flatMap((i) => [
      ...scores(shader, i),
      `let top${i} = max(most${i}, max(max(x${i}.x, x${i}.y), max(x${i}.z, x${i}.w)));`,
      `let p${i} = select(vec4<f32>(), exp(x${i} - top${i}), sees${i});`,
      `let fade${i} = exp(most${i} - top${i});`,
      `most${i} = top${i};`,
      `total${i} = total${i} * fade${i} + (p${i}.x + p${i}.y + p${i}.z + p${i}.w);`,
    ]),
    // What no query sees may be anything in memory, and zero times anything is not always zero.
    `let used = ${range(queries)
      .map((i) => `p${i}`)
      .join(' + ')} > vec4<f32>();`,
    ...forUnits(valueEach, valueUnits, (j) => [
      ...fours.map((c) => `let x${c} = select(${element}(0.0), ${load(v, `v${c} + ${along(v)}`)}, used[${c}]);`),
      ...range(queries).map(
        (i) => `o${i}[${j}] = o${i}[${j}] * fade${i} + (${fours.map((c) => `p${i}[${c}] * x${c}`).join(' + ')});`,
      ),
    ]),
  ];

  const finish = range(queries).flatMap((i) => [
    `let top${i} = mergeMax(most${i}, lane);`,
    `let fade${i} = exp(most${i} - top${i});`,
    `let sum${i} = mergeSum(total${i} * fade${i}, lane);`,
    `let scale${i} = select(fade${i} / sum${i}, 0.0, sum${i} == 0.0);`,
    `let writes${i} = mine && kpart == 0u && first + ${u32(i)} < ${u32(positions)};`,
    ...forUnits(valueEach, 0, (j) => [
      `let value = ${width === 4 ? 'mergeSums' : 'mergeSum'}(o${i}[${j}] * scale${i}, lane);`,
      `if (writes${i} && d < ${u32(valueUnits * width)}) {`,
      ...(width === 4 ? fours : [0]).map(
        (c) => `  put(value${width === 4 ? `[${c}]` : ''}, batch, position${i}, head, d + ${u32(c)});`,
      ),
      '}',
    ]),
  ]);

  const queryBlocks = Math.ceil(positions / queries);
  const tasks = batch * heads * queryBlocks;
  const { workgroups, code } = shader.grid(Math.ceil(tasks / team.teams), 'block');
  return shader.dispatch(team.size, workgroups, [
    code,
    `let wanted = block * ${u32(team.teams)} + lane / ${u32(team.lanes)};`,
    `let mine = wanted < ${u32(tasks)};`,
    `let task = min(wanted, ${u32(tasks - 1)});`,
    `let first = (task % ${u32(queryBlocks)}) * ${u32(queries)};`,
    `let head = (task / ${u32(queryBlocks)}) % ${u32(heads)};`,
    `let batch = task / ${u32(queryBlocks * heads)};`,
    `let keyHead = head / ${u32(heads / k.shape[2]!)};`,
    `let part = lane % ${u32(team.lanes)};`,
    `let kpart = part / ${u32(across)};`,
    ...range(queries).flatMap((i) => [
      `let position${i} = min(first + ${u32(i)}, ${u32(positions - 1)});`,
      `let at${i} = ${place(q, 'batch', `position${i}`, 'head', '0u')};`,
      `var q${i}: array<${element}, ${each}>;`,
      `var o${i}: array<${element}, ${valueEach}>;`,
      `var most${i} = ${none};`,
      `var total${i} = 0.0;`,
    ]),
    ...forUnits(each, units, (j) => range(queries).map((i) => `q${i}[${j}] = ${load(q, `at${i} + ${along(q)}`)};`)),
    `let before = ${shader.integer(attrs['start'], 0)};`,
    `let seen = min(${shader.integer(attrs['keys'], keys)}, ${keys});`,
    ...bounds(attrs['causal'] === true, attrs['window'] as number | undefined, `position${queries - 1}`),
    `for (var base = low; base < high; base += ${(team.lanes / across) * fours.length}) {`,
    indent(loop),
    '}',
    ...finish,
  ]);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** The keys that an invocation takes at a time. */
const fours = range(4);
const four = (make: (c: number) => string): string => `vec4<f32>(${fours.map(make).join(', ')})`;
const place = (view: View, ...spans: string[]): string =>
  address(
    view,
    spans.map((at) => ({ axes: 1, at })),
  );

/** Sums over the lanes that share a head, and merges over those that took different keys. */
function declareMerges(shader: Shader, { width, across, team }: Division, target: Target): void {
  const add: Reduction['combine'] = (a, b) => `${a} + ${b}`;
  const merges: Reduction[] = [
    { name: 'mergeMax', type: 'f32', combine: (a, b) => `max(${a}, ${b})` },
    { name: 'mergeSum', type: 'f32', combine: add },
  ];
  if (width === 4) merges.push({ name: 'mergeSums', type: 'vec4<f32>', combine: add });
  declareReductions(shader, { ...team, lanes: across }, target, [
    { name: 'sumAcross', type: 'vec4<f32>', combine: add },
  ]);
  declareReductions(shader, team, target, merges, across);
}

/** The scores `x` of query i with four keys, and which of the keys it sees. */
function scores(shader: Shader, i: number): string[] {
  const { attrs, inputs } = shader.call;
  const { scale, softcap, window } = attrs as { scale: number; softcap?: number; window?: number };
  const mask = attrs['mask'] === true ? inputs[3] : undefined;
  const bias = attrs['bias'] === true ? inputs[mask ? 4 : 3] : undefined;
  const pair = (view: View, c: number): string =>
    shader.load(view, place(view, 'batch', 'head', `position${i}`, `row${c}`));
  const sees = (c: number): string => {
    const tests = [`key${c} < seen`];
    if (attrs['causal'] === true) tests.push(`key${c} <= before + i32(position${i})`);
    if (window !== undefined) tests.push(`abs(before + i32(position${i}) - key${c}) < ${window}`);
    if (mask) tests.push(`${pair(mask, c)} != 0`);
    return tests.join(' && ');
  };
  const code = [`var x${i} = sumAcross(s${i}, lane) * ${literal(scale, 'f32', shader)};`];
  if (softcap !== undefined) {
    const cap = literal(softcap, 'f32', shader);
    code.push(`x${i} = ${cap} * ${four((c) => `${shader.use('tanh')}(x${i}[${c}] / ${cap})`)};`);
  }
  if (bias) code.push(`x${i} += ${four((c) => pair(bias, c))};`);
  return [
    ...code,
    `let sees${i} = vec4<bool>(${fours.map(sees).join(', ')});`,
    `x${i} = select(vec4<f32>(${none}), x${i}, sees${i});`,
  ];
}

/** The keys that any query of the team may see: from `low` up to `high`. */
function bounds(causal: boolean, window: number | undefined, last: string): string[] {
  const ends = [
    ...(causal ? [`before + i32(${last}) + 1`] : []),
    ...(window === undefined ? [] : [`before + i32(${last}) + ${window}`]),
  ];
  return [
    `let low = ${window === undefined ? '0' : `max(0, before + i32(first) - ${window - 1})`};`,
    `let high = ${ends.reduce((a, b) => `min(${a}, ${b})`, 'seen')};`,
  ];
}
