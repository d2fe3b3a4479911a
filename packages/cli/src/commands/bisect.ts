// `transept bisect`: which operation makes two backends give different answers? Each runs on both with the same inputs.
import { asLowered, bisect } from '@transept/conformance';
import type { OperationReport } from '@transept/conformance';
import type { Command } from 'commander';
import { graphOf, passInputs } from '../bisect/inputs.ts';
import { showDifference } from '../bisect/show.ts';
import { backendOptions, modelOptions, moduleOptions } from '../context.ts';
import type { Context, ModelOptions, ModuleOptions } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { withNaN } from '../json.ts';
import { openOn, registerModules } from '../models.ts';
import { Progress } from '../progress.ts';
import { columnsOf, print } from '../terminal.ts';

interface BisectCommandOptions extends ModelOptions, ModuleOptions {
  readonly backends: readonly string[];
  readonly all?: true;
  readonly json?: true;
}

export function addBisect(program: Command, context: Context): void {
  const command = program
    .command('bisect [text]')
    .description(
      'run every operation of a model on two backends with the same inputs, and stop at the first whose results differ beyond their bound; exit code 1 when one does',
    )
    .option('--backends <names>', `which two, of ${context.backends.names.join(', ')}`, names, ['cpu', 'webgpu'])
    .option('--all', 'go on after the first difference')
    .option('--json', 'print one JSON object');
  moduleOptions(modelOptions(command)).action((text: string | undefined, options: BisectCommandOptions) =>
    run(context, text, options),
  );
}

const names = (list: string): string[] => list.split(',').map((name) => name.trim());

/** What one look at the operations found. */
interface Found {
  /** Compared until the first difference, or all. */
  readonly operations: number;
  readonly differences: readonly OperationReport[];
}

interface LoweredFound extends Found {
  readonly backend: string;
}

async function run(context: Context, text: string | undefined, options: BisectCommandOptions): Promise<void> {
  const { terminal, backends: known } = context;
  await registerModules(context, options);
  const [first, second, ...more] = options.backends;
  if (first === undefined || second === undefined || more.length > 0 || first === second)
    throw new CommandError(`bisect: --backends is ${options.backends.join(',')}; expected two different ones`);
  for (const name of [first, second]) known.find(name);

  using opened = await openOn(context, first, options);
  using other = await known.create(second, backendOptions(options));
  const { traced, contents } = graphOf(opened.model, await passInputs(opened.model, text, terminal.signal));
  const pair = [opened.backend, other] as const;
  const { signal } = terminal;
  const look = lookFor(context, options);
  const apart = await look(bisect(traced, { contents }, pair, { signal }), 'operations');
  // What operations by themselves do not show: the plans that the backends run, fused as they like it.
  const lowered: LoweredFound[] = [];
  if (apart.differences.length === 0)
    for (const [i, backend] of pair.entries()) {
      const name = options.backends[i]!;
      const found = await look(asLowered(traced, { contents }, backend, { signal }), `the plan of ${name}`);
      lowered.push({ backend: name, ...found });
    }

  const disagrees = [apart, ...lowered].some(({ differences }) => differences.length > 0);
  if (disagrees) context.finish(exitCodes.disagreement);
  const report = { model: opened.model.name, backends: [first, second], ...apart, lowered };
  await print(
    terminal.stdout,
    options.json ? `${JSON.stringify(report, withNaN, 2)}\n` : show(report, columnsOf(terminal.stdout)),
  );
}

/** Goes through reports, up to the first difference or to the end. */
const lookFor =
  ({ terminal }: Context, { all }: BisectCommandOptions) =>
  async (reports: AsyncIterable<OperationReport>, what: string): Promise<Found> => {
    using progress = new Progress(terminal.stderr, `comparing ${what}`);
    const differences: OperationReport[] = [];
    let operations = 0;
    for await (const report of reports) {
      operations = report.number;
      progress.update(report.number, report.operations);
      if (report.differs) differences.push(report);
      if (report.differs && !all) break;
    }
    return { operations, differences };
  };

interface Report extends Found {
  readonly backends: readonly string[];
  readonly lowered: readonly LoweredFound[];
}

function show({ backends, operations, differences, lowered }: Report, width: number): string {
  const pair = backends.join(' and ');
  const lines = differences.flatMap((d) => [...showDifference(d, backends, width), '']);
  for (const plan of lowered)
    lines.push(
      ...plan.differences.flatMap((d) => [
        `in the plan of ${plan.backend}:`,
        ...showDifference(d, [plan.backend], width),
        '',
      ]),
    );
  if (differences.length > 0)
    lines.push(`DIFFER: ${pair} differ in ${counted(differences.length)} of ${operations} compared`);
  else if (lines.length > 0) lines.push(`DIFFER: each operation agrees by itself, but not as it is fused`);
  else {
    const calls = lowered.map((p) => `${p.operations} calls of ${p.backend}`).join(', ');
    lines.push(`AGREE: ${pair} agree in all ${operations} operations, and as they are fused (${calls})`);
  }
  return `${lines.join('\n')}\n`;
}

const counted = (n: number): string => `${n} ${n === 1 ? 'operation' : 'operations'}`;
