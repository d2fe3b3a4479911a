// `transept conformance`: does a backend compute what it should? The suite as a command; exit code 1 with failures.
import { casesFor, Reporter, runConformance, runFaults, supportTable } from '@transept/conformance';
import type { CaseSource, ConformanceOptions, Mode, OutOfScope, Result } from '@transept/conformance';
import { Option } from 'commander';
import type { Command } from 'commander';
import { backendOptions, deviceOptions, wholeNumber } from '../context.ts';
import type { Context, DeviceOptions } from '../context.ts';
import { table } from '../draw/table.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { withNaN } from '../json.ts';
import { registerModules } from '../models.ts';
import { readOperatorCases } from '../operator-cases.ts';
import { Progress } from '../progress.ts';
import { columnsOf, print } from '../terminal.ts';

interface ConformanceCommandOptions extends DeviceOptions {
  readonly mode: Mode;
  readonly only?: readonly string[];
  readonly cases?: string;
  readonly seed: number;
  readonly sameBitsThreads?: number;
  readonly faults?: true;
  readonly json?: true;
}

const modes: readonly Mode[] = ['test', 'gradient', 'speed', 'support'];

export function addConformance(program: Command, context: Context): void {
  const command = program
    .command('conformance')
    .description('run the suite that shows whether a backend computes what it should; exit code 1 with failures')
    .addOption(new Option('--mode <mode>', 'what to do with the cases').choices(modes).default('test'))
    .option('--only <names...>', 'cases whose op/name contains one of these')
    .option(
      '--cases <dir>',
      'run the operator cases of a folder (JSON as in fixtures/onnx-ops) instead of the own ones',
    )
    .option('--seed <n>', 'seed of random contents and shapes', wholeNumber(0), 1)
    .option(
      '--same-bits-threads <n>',
      'the same backend with this many threads must give the same bits',
      wholeNumber(1),
    )
    .option(
      '--faults',
      'test the suite itself: put faults into a correct backend one by one, and see that each is caught',
    )
    .option('--json', 'print one JSON object');
  deviceOptions(command, context).action((options: ConformanceCommandOptions) =>
    options.faults ? tryFaults(context, options) : run(context, options),
  );
}

const list = (text: string): string[] => text.split(',').map((part) => part.trim());

async function run(context: Context, options: ConformanceCommandOptions): Promise<void> {
  const { terminal } = context;
  await registerModules(context, options);
  const names = list(options.backend);
  if (names.length > 1 && options.mode !== 'support')
    throw new CommandError(
      `conformance: --backend names ${names.length} backends; mode ${options.mode} takes one, only support takes several`,
    );
  const source = options.cases === undefined ? undefined : await readOperatorCases(options.cases, terminal);
  const reporters: Reporter[] = [];
  for (const name of names) reporters.push(await runOn(context, name, options, source));
  if (reporters.some(({ report }) => report.counts.fail > 0)) context.finish(exitCodes.disagreement);
  const text = options.json
    ? `${JSON.stringify(jsonOf(reporters, options.mode, source?.outOfScope), withNaN, 2)}\n`
    : `${show(reporters, options.mode, columnsOf(terminal.stdout))}${leftOut(source?.outOfScope)}`;
  await print(terminal.stdout, text);
}

async function runOn(
  { terminal, backends }: Context,
  name: string,
  options: ConformanceCommandOptions,
  source: CaseSource | undefined,
): Promise<Reporter> {
  const { mode, only, seed, sameBitsThreads, json } = options;
  const made = backendOptions(options);
  using stack = new DisposableStack();
  const backend = stack.use(await backends.create(name, made));
  const twin =
    sameBitsThreads === undefined
      ? undefined
      : stack.use(await backends.create(name, { ...made, threads: sameBitsThreads }));
  const fresh: ConformanceOptions['fresh'] = () => backends.create(name, made);
  const reporter = new Reporter(name);
  const suite: ConformanceOptions = {
    mode,
    seed,
    fresh,
    signal: terminal.signal,
    ...(only && { only }),
    ...(source && { cases: source.cases }),
    ...(twin && { twin }),
  };
  const progress = stack.use(new Progress(terminal.stderr, name));
  const { length: total } = casesFor(suite);
  let done = 0;
  for await (const result of runConformance(backend, suite)) {
    progress.update(++done, total);
    reporter.add(result);
    if (result.outcome !== 'fail' || json) continue;
    progress[Symbol.dispose](); // its line gives way
    await print(terminal.stderr, `${describe(result)}\n`);
  }
  return reporter;
}

function describe({ op, case: name, reason, culprit, seed, smallest }: Extract<Result, { outcome: 'fail' }>): string {
  const blame = culprit && culprit !== op ? `; to blame: ${culprit}` : '';
  const calls = smallest?.replace(/^/gm, '  ') ?? '';
  return `FAIL ${op}/${name}: ${reason}${blame} (seed ${seed})${calls && `; the smallest that fails:\n${calls}`}`;
}

function jsonOf(reporters: readonly Reporter[], mode: Mode, outOfScope: readonly OutOfScope[] | undefined): unknown {
  const objects = reporters.map(({ report, passed }) => ({
    ...report,
    ...(outOfScope && { outOfScope }),
    ...(mode === 'speed' && { speed: passed.map((p) => ({ op: p.op, case: p.case, ...p.speed })) }),
    ...(mode === 'support' && { support: passed.map((p) => ({ op: p.op, case: p.case, ...p.support })) }),
  }));
  return objects.length === 1 ? objects[0] : objects;
}

function show(reporters: readonly Reporter[], mode: Mode, width: number): string {
  if (mode === 'support') return `${supportTable(reporters)}\n`;
  const [reporter] = reporters as [Reporter];
  const { counts, backend } = reporter.report;
  const rows = mode === 'speed' ? speedTable(reporter, width) : countTable(reporter, width);
  return `${rows.join('\n')}\n\n${backend}: ${counts.pass} passed, ${counts.fail} failed, ${counts.unsupported} unsupported\n${reasons(reporter)}`;
}

const countTable = (reporter: Reporter, width: number): string[] =>
  table(
    reporter
      .byOperation()
      .map((row) => [row.op, `${row.pass}`, `${row.fail}`, `${row.unsupported}`, row.closeness.toFixed(2)]),
    {
      head: ['operation', 'pass', 'fail', 'unsupported', 'distance / bound'],
      width,
      align: ['left', 'right', 'right', 'right', 'right'],
    },
  );

const speedTable = ({ passed }: Reporter, width: number): string[] =>
  table(
    passed.map(({ op, case: name, speed }) => [
      op,
      name,
      speed!.milliseconds.toPrecision(3),
      speed!.gflops.toPrecision(3),
      speed!.gbps.toPrecision(3),
    ]),
    { head: ['operation', 'case', 'ms', 'GFLOP/s', 'GB/s'], width, align: ['left', 'left', 'right', 'right', 'right'] },
  );

/** Why things are unsupported, each reason once. */
function reasons({ report }: Reporter): string {
  const counts = new Map<string, number>();
  for (const { reason } of report.unsupported) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, n]) => `  unsupported, ${n} cases: ${reason}\n`).join('');
}

const leftOut = (outOfScope: readonly OutOfScope[] = []): string =>
  outOfScope.map(({ name, reason }) => `  out of scope: ${name}: ${reason}\n`).join('');

/** Print every fault, and which case caught it. */
async function tryFaults({ terminal, finish }: Context, { only, json }: ConformanceCommandOptions): Promise<void> {
  const found = [];
  for await (const result of runFaults({ all: true, signal: terminal.signal, ...(only && { only }) })) {
    found.push(result);
    const { op, name, caught, by, blamed } = result;
    const line = caught ? `caught by ${by}${blamed ? '' : ', which blames another operation'}` : 'NOT CAUGHT';
    if (!json) await print(terminal.stdout, `${op}: ${name}: ${line}\n`);
  }
  const caught = found.filter((f) => f.caught).length;
  const blamed = found.filter((f) => f.blamed).length;
  if (caught < found.length) finish(exitCodes.disagreement);
  const summary = `\n${caught} of ${found.length} faults caught, ${blamed} blamed on the right operation\n`;
  await print(
    terminal.stdout,
    json ? `${JSON.stringify({ faults: found.length, caught, blamed, results: found }, null, 2)}\n` : summary,
  );
}
