// `transept verify`: every call of a recording is run again and compared, for people who port a model.
import { basename, dirname, resolve } from 'node:path';
import { folder } from '@transept/checkpoint';
import type { Command } from 'commander';
import { verify } from 'transept';
import type { CallReport, OutputReport, VerifyReport } from 'transept';
import { backendOptions, deviceOptions, weightsOption } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { table } from '../draw/table.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { registerModules } from '../models.ts';
import { Progress } from '../progress.ts';
import { columnsOf, print } from '../terminal.ts';

interface VerifyCommandOptions extends DeviceOptions, Pick<ModelOptions, 'weights'> {
  readonly model: string;
  readonly golden?: string;
  readonly config?: string;
  readonly bound?: number;
  readonly json?: true;
}

export function addVerify(program: Command, context: Context): void {
  const command = program
    .command('verify')
    .description('compare a model with a recording of what its authors’ code computes; exit code 1 when they differ')
    .requiredOption('--model <name>', 'folder with config.json, model.safetensors and the recording, or another model')
    .option(
      '--golden <file>',
      'the recording, its arrays beside it as .safetensors; default: golden.json of the folder',
    )
    .option('--config <name>', 'file of the folder to read in place of config.json')
    .option('--bound <x>', 'largest error that passes, relative to the spread; default: 1e-4, on webgpu 1e-3', positive)
    .option('--json', 'print JSON');
  weightsOption(deviceOptions(command, context)).action((options: VerifyCommandOptions) => run(context, options));
}

async function run(context: Context, options: VerifyCommandOptions): Promise<void> {
  const { terminal, backends } = context;
  await registerModules(context, options);
  using backend = await backends.create(options.backend, backendOptions(options));
  using progress = new Progress(terminal.stderr, 'verify');
  const { golden, config } = options;
  const report = await verify(options.model, {
    backend,
    bound: options.bound ?? (backend.name === 'webgpu' ? 1e-3 : 1e-4),
    ...(golden !== undefined && { golden: basename(golden), goldenFiles: folder(dirname(resolve(golden))) }),
    ...(config !== undefined && { config }),
    ...(options.weights && { weights: options.weights }),
    signal: terminal.signal,
    onProgress: (done, total) => progress.update(done, total),
  });
  const { stdout } = terminal;
  await print(stdout, options.json ? `${JSON.stringify(report, null, 2)}\n` : show(report, columnsOf(stdout)));
  if (!report.ok) context.finish(exitCodes.disagreement);
}

function show(report: VerifyReport, width: number): string {
  const rows = report.calls.flatMap(callRows);
  const count = (verdict: string): number => report.calls.filter((c) => c.verdict === verdict).length;
  const lines = table(rows, { head: ['call', 'output', 'error', ''], width, align: ['left', 'left', 'right', 'left'] });
  return [
    `${report.modelType} on ${report.backend}; errors up to ${report.bound} of the spread pass`,
    '',
    ...lines,
    '',
    `${count('passed')} calls passed, ${count('failed')} failed, ${count('unsupported')} are not supported`,
    '',
  ].join('\n');
}

const callRows = ({ name, verdict, reason, outputs }: CallReport): string[][] =>
  reason === undefined
    ? outputs.map((output, i) => [i === 0 ? name : '', output.name, errorText(output), output.verdict])
    : [[name, '', '', `${verdict}: ${reason}`]];

const errorText = ({ error }: OutputReport): string =>
  error === undefined ? '' : Number.isInteger(error) ? String(error) : error.toExponential(1);

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new CommandError(`verify: --bound is "${text}"; expected a number above 0`);
}
