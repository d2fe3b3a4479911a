// `transept compare`: the same texts on several backends, side by side, and how far they agree.
import type { Command } from 'commander';
import { runComparison } from '../comparison/run.ts';
import type { Comparison } from '../comparison/compare.ts';
import { showComparison } from '../comparison/show.ts';
import { cacheOption, modelOptions, moduleOptions, wholeNumber, weightsOption } from '../context.ts';
import type { Context, ModelOptions, ModuleOptions } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { registerModules } from '../models.ts';
import { print } from '../terminal.ts';
import { gather, sourceTexts } from '../texts.ts';

interface CompareOptions extends ModelOptions, ModuleOptions {
  readonly input?: string;
  readonly backends: readonly string[];
  readonly beams: number;
  readonly attention: number;
  readonly json?: true;
}

export function addCompare(program: Command, context: Context): void {
  const command = program
    .command('compare [text...]')
    .description(
      'run texts on several backends: speed, memory, and agreement under forced decoding; exit code 1 when they disagree',
    )
    .option('--input <file>', 'texts, one a line; - for standard input')
    .option('--backends <names>', `what to compare, of ${context.backends.names.join(', ')}`, names, ['cpu', 'webgpu'])
    .option('--beams <n>', 'beams of beam search; 1 is greedy', wholeNumber(1), 1)
    .option('--attention <n>', 'draw the attention of this text; 0 for none', wholeNumber(0), 1)
    .option('--json', 'print JSON');
  cacheOption(weightsOption(moduleOptions(modelOptions(command)))).action(
    async (texts: string[], options: CompareOptions) => {
      const { terminal } = context;
      await registerModules(context, options);
      const sources = { arguments: texts, input: options.input, command: 'compare' };
      const lines = await gather(sourceTexts(sources, terminal));
      await report(context, await runComparison(context, lines, { ...options, command: 'compare' }), options);
    },
  );
}

const names = (list: string): string[] => list.split(',').map((name) => name.trim());

/** Print a comparison, and let the exit code say whether the backends agree. */
export async function report(
  context: Context,
  comparison: Comparison,
  { json }: { readonly json?: true },
): Promise<void> {
  const { stdout } = context.terminal;
  await print(stdout, json ? `${JSON.stringify(comparison, null, 2)}\n` : showComparison(comparison, stdout));
  if (!comparison.agrees) context.finish(exitCodes.disagreement);
}
