// One case on one backend: in fenced memory, twice over, and compared with the oracle. Everything that can be wrong is said.
import { bytesPer, elements, trace } from '@transept/tensor';
import type { Arithmetic, Backend, TracedGraph } from '@transept/tensor';
import { culpritOf } from './blame.ts';
import { titleOf } from './case.ts';
import type { OpCase } from './case.ts';
import { compare } from './compare.ts';
import { contentsOf } from './contents.ts';
import { Loaded, memoryBefore, sameBytes } from './device.ts';
import type { Memory } from './device.ts';
import { damage, elementsIn, fence } from './fence.ts';
import type { FencedPlan } from './fence.ts';
import { Oracle } from './oracle/oracle.ts';
import { planCase } from './plan-case.ts';
import type { Failed, NotSupported, Passed } from './result.ts';

export interface TestOptions {
  readonly seed: number;
  readonly arithmetic: Arithmetic;
  /** Another backend that has to give the same bits. */
  readonly twin?: Backend | undefined;
}

/** A result without what the runner adds. */
export type Verdict =
  | Pick<Passed, 'outcome' | 'closeness'>
  | Pick<Failed, 'outcome' | 'reason' | 'culprit' | 'wrong'>
  | Pick<NotSupported, 'outcome' | 'reason'>;

type Finding = Pick<Failed, 'reason' | 'wrong'>;

export async function testCase(backend: Backend, c: OpCase, options: TestOptions): Promise<Verdict> {
  const { arithmetic, seed, twin } = options;
  if (c.special && arithmetic === 'wgsl')
    return { outcome: 'unsupported', reason: 'WGSL promises neither NaN nor infinities' };
  const traced = trace(titleOf(c), (g) => c.build(g));
  const plan = planCase(c, backend, traced);
  if ('outcome' in plan) return plan;
  const fenced = fence(plan, c.start ?? 'aligned', backend.capabilities);
  const oracle = new Oracle(traced, arithmetic, c.stored);
  const contents = contentsOf(c, traced, oracle.plan.buffers, seed);
  for (const [name, values] of contents) oracle.write(name, values);
  const before = memoryBefore(fenced, contents);
  const runs = c.runs ?? [[]];

  let closeness = 0;
  let finding: Finding | undefined;
  const first: Memory[] = [];
  {
    using loaded = await Loaded.load(backend, fenced, before);
    for (const [run, scalars] of runs.entries()) {
      const after = await loaded.run(scalars);
      first.push(after);
      oracle.run(scalars);
      const result = check(oracle, fenced, before, after, run);
      closeness = Math.max(closeness, result.closeness);
      finding ??= result.finding;
    }
    finding ??= outsideOpinion(c, oracle);
    if (!finding) {
      loaded.restore(before);
      for (const [run, scalars] of runs.entries())
        finding ??= difference(
          fenced,
          first[run]!,
          await loaded.run(scalars),
          'run twice on the same memory it gave different bits',
        );
    }
  }
  if (!finding && twin) finding = await compareTwin(twin, c, traced, contents, first, fenced);
  if (!finding) return { outcome: 'pass', closeness };
  // What is wrong is known, whatever the search for its cause does to the device.
  const search = finding.wrong && culpritOf(backend, fenced, before, runs, arithmetic);
  const culprit = await search?.catch(() => undefined);
  return { outcome: 'fail', ...finding, ...(culprit && { culprit }) };
}

/** Compare the memory after a run with the oracle's, and see that nothing else was touched. */
function check(
  oracle: Oracle,
  fenced: FencedPlan,
  before: Memory,
  after: Memory,
  run: number,
): { closeness: number; finding?: Finding } {
  let closeness = 0;
  for (const { name, dtype, shape, role } of oracle.written) {
    const at = fenced.buffers.findIndex((b) => b.name === name);
    if (at < 0 && role === 'output') return { closeness, finding: { reason: `the plan has no output "${name}"` } };
    if (at < 0) continue; // a state that nothing reads or writes
    const { before: start, bytes } = fenced.buffers[at]!;
    const received = elementsIn(dtype, after[at]!.slice(start, start + bytes), elements(shape));
    const result = compare(received, oracle.read(name), shape);
    if (result.wrong) {
      const wrong = { ...result.wrong, buffer: name, run };
      return { closeness, finding: { reason: sentence(wrong), wrong } };
    }
    closeness = Math.max(closeness, result.closeness);
  }
  for (const [i, b] of fenced.buffers.entries()) {
    const harm = damage(b, before[i]!, after[i]!);
    if (harm) return { closeness, finding: { reason: `overrun: it wrote outside "${b.name}": ${harm} changed` } };
    if ((b.role === 'input' || b.role === 'parameter') && !sameBytes(before[i]!, after[i]!))
      return {
        closeness,
        finding: {
          reason: `input changed: it wrote to "${b.name}", ${b.role === 'input' ? 'an input' : 'a parameter'}`,
        },
      };
  }
  return { closeness };
}

/** Where the case brings values of another engine: does the oracle agree with them? */
function outsideOpinion(c: OpCase, oracle: Oracle): Finding | undefined {
  const { relative, absolute } = c.tolerance ?? { relative: 1e-5, absolute: 1e-6 };
  for (const [name, values] of Object.entries(c.expected ?? {})) {
    const { value, low, high } = oracle.read(name);
    if (value.length !== values.length)
      return { reason: `the case expects ${values.length} elements of "${name}"; its graph gives ${value.length}` };
    for (let i = 0; i < value.length; i++) {
      const theirs = values[i]!;
      const room = relative * Math.abs(theirs) + absolute;
      const near =
        Object.is(theirs, value[i]) || theirs === value[i] || (theirs >= low[i]! - room && theirs <= high[i]! + room);
      if (!near)
        return {
          reason: `the case expects ${theirs} at ${i} of "${name}"; its graph means ${value[i]}: case and graph disagree, whatever the backend does`,
        };
    }
  }
  return undefined;
}

/** The first buffer in which two runs differ. */
function difference(fenced: FencedPlan, a: Memory, b: Memory, what: string): Finding | undefined {
  for (const [i, { name, role }] of fenced.buffers.entries())
    if (role !== 'temporary' && !sameBytes(a[i]!, b[i]!))
      return { reason: `not repeatable: ${what}: "${name}"${firstDifference(fenced, i, a[i]!, b[i]!)}` };
  return undefined;
}

function firstDifference(
  { plan, buffers }: FencedPlan,
  i: number,
  a: Uint8Array<ArrayBuffer>,
  b: Uint8Array<ArrayBuffer>,
): string {
  const planned = plan.buffers[i]!;
  if (planned.kind !== 'bound') return '';
  const { before, bytes } = buffers[i]!;
  const [x, y] = [a, b].map((m) =>
    elementsIn(planned.dtype, m.slice(before, before + bytes), Math.floor(bytes / bytesPer[planned.dtype])),
  );
  const at = x!.findIndex((v, k) => !Object.is(v, y![k]));
  return at < 0 ? '' : ` at ${at}: ${x![at]} and ${y![at]}`;
}

async function compareTwin(
  twin: Backend,
  c: OpCase,
  traced: TracedGraph,
  contents: ReadonlyMap<string, ArrayBufferView>,
  first: readonly Memory[],
  own: FencedPlan,
): Promise<Finding | undefined> {
  const plan = planCase(c, twin, traced);
  if ('outcome' in plan) return { reason: `twin: unsupported there: ${plan.reason}` };
  const fenced = fence(plan, c.start ?? 'aligned', twin.capabilities);
  using loaded = await Loaded.load(twin, fenced, memoryBefore(fenced, contents));
  for (const [run, scalars] of (c.runs ?? [[]]).entries()) {
    const after = await loaded.run(scalars);
    const finding = difference(own, first[run]!, after, 'its twin gave different bits');
    if (finding) return finding;
  }
  return undefined;
}

const short = (x: number): string =>
  Number.isInteger(x) && Math.abs(x) < 1e9 ? `${x}` : `${Number(x.toPrecision(8))}`;

function sentence({
  buffer,
  run,
  index,
  received,
  expected,
  distance,
  bound,
  count,
  of,
  symptom,
  detail,
}: NonNullable<Failed['wrong']>): string {
  const where = `${buffer}[${index.join(', ')}]${run > 0 ? ` after run ${run}` : ''}`;
  const looks = symptom === 'unknown' ? '' : `; ${symptom}${detail && `: ${detail}`}`;
  return `${where} is ${short(received)}, expected ${short(expected)} ± ${bound.toExponential(1)}, off by ${distance.toExponential(2)}; ${count} of ${of} wrong${looks}`;
}
