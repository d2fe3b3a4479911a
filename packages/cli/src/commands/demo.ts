// `transept demo`: the comparison of the CPU with WebGPU on sentences that come with the program. Without WebGPU the CPU is
// compared with the reference backend.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { runComparison } from '../comparison/run.ts';
import { modelOptions, moduleOptions, weightsOption } from '../context.ts';
import type { Context, ModelOptions, ModuleOptions } from '../context.ts';
import { registerModules } from '../models.ts';
import { demoSentences } from '../places.ts';
import { print } from '../terminal.ts';
import type { SourceText } from '../texts.ts';
import { report } from './compare.ts';

interface DemoOptions extends ModelOptions, ModuleOptions {
  readonly json?: true;
}

/** Short enough to fit a screen, long enough to be seen turning words around. */
const picturedText = 6;

export function addDemo(program: Command, context: Context): void {
  const command = program
    .command('demo')
    .description('translate 20 German sentences on the CPU and on WebGPU, and show how far the two agree')
    .option('--json', 'print JSON');
  weightsOption(moduleOptions(modelOptions(command))).action((options: DemoOptions) => run(context, options));
}

async function run(context: Context, options: DemoOptions): Promise<void> {
  await registerModules(context, options);
  const second = (await isAvailable(context, 'webgpu')) ? 'webgpu' : 'reference';
  const comparison = await runComparison(context, await demoTexts(), {
    ...options,
    backends: ['cpu', second],
    beams: 1,
    attention: picturedText,
    command: 'demo',
  });
  await report(context, comparison, options);
}

async function demoTexts(): Promise<SourceText[]> {
  const lines = (await readFile(demoSentences, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((text, i) => ({ text, place: `sentence ${i + 1}` }));
}

/** Can a backend be made? If not, say why on standard error. */
async function isAvailable({ backends, terminal }: Context, name: string): Promise<boolean> {
  try {
    using _backend = await backends.create(name);
    return true;
  } catch (error) {
    await print(
      terminal.stderr,
      `transept: ${(error as Error).message}\ntransept: comparing the cpu backend with the reference backend instead\n`,
    );
    return false;
  }
}
