// `transept plan`: what a model becomes for a backend, for people. Needs config.json alone: no weights are read.
import { readJson } from '@transept/checkpoint';
import { programsOf } from '@transept/generate';
import { createModel, storageOf } from '@transept/models';
import { formatPlan } from '@transept/tensor';
import type { Command } from 'commander';
import { backendOptions, deviceOptions, modelOptions, weightsOption, wholeNumber } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { modelFiles, registerModules } from '../models.ts';
import { print } from '../terminal.ts';
import { longestText } from '../texts.ts';

interface PlanOptions extends ModelOptions, DeviceOptions {
  readonly rows: number;
  readonly length: number;
}

export function addPlan(program: Command, context: Context): void {
  const command = program
    .command('plan')
    .description('print the plans of a model: calls, memory, and what was fused, decomposed or copied and why')
    .option('--rows <n>', 'sequences that go through the model together', wholeNumber(1), 1)
    .option('--length <n>', 'tokens of the source or prompt', wholeNumber(1), 16);
  weightsOption(deviceOptions(modelOptions(command), context)).action((options: PlanOptions) => run(context, options));
}

async function run(context: Context, options: PlanOptions): Promise<void> {
  const { terminal, backends } = context;
  const config = await readJson(await modelFiles(context, options), 'config.json', { signal: terminal.signal });
  const model = createModel(config, options.modelType);
  const { rows, length } = options;
  const most = longestText(model);
  const reads = model.kind !== 'vision' && !('sourceFeatures' in model);
  if (reads && length > most) throw new CommandError(`plan: --length is ${length}; this model takes at most ${most}`);
  await registerModules(context, options);
  using backend = await backends.create(options.backend, backendOptions(options));
  const stored = storageOf(model, backend, options.weights ?? 'f32');
  const plans = programsOf(model, backend, { rows, length, stored });
  await print(terminal.stdout, `${plans.map((plan) => formatPlan(plan, backend)).join('\n\n')}\n`);
}
