// The command line. `main` runs one command on streams that are given to it and returns the exit code; bin.ts calls it with
// those of the process.
import { Command, CommanderError } from 'commander';
import { BackendTable } from './backends.ts';
import type { BackendFactory } from './backends.ts';
import { addBackends } from './commands/backends.ts';
import { addBisect } from './commands/bisect.ts';
import { addBleu } from './commands/bleu.ts';
import { addCompare } from './commands/compare.ts';
import { addConformance } from './commands/conformance.ts';
import { addDemo } from './commands/demo.ts';
import { addEmbed } from './commands/embed.ts';
import { addForward } from './commands/forward.ts';
import { addFuzz } from './commands/fuzz.ts';
import { addGenerate } from './commands/generate.ts';
import { addModels } from './commands/models.ts';
import { addPlan } from './commands/plan.ts';
import { addSearch } from './commands/search.ts';
import { addTokenize } from './commands/tokenize.ts';
import { addTranslate } from './commands/translate.ts';
import { addVerify } from './commands/verify.ts';
import type { Context } from './context.ts';
import { describeError, exitCodes } from './errors.ts';
import { columnsOf, print } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export type { BackendFactory, BackendOptions } from './backends.ts';
export type { Screen, Terminal } from './terminal.ts';

export interface MainOptions {
  /** Backends by name in place of ours. */
  readonly backends?: Readonly<Record<string, BackendFactory>>;
}

/** Run the command that `args` spell, and return its exit code: 0 done, 1 backends disagree, 2 failed, 130 interrupted. */
export async function main(
  args: readonly string[],
  terminal: Terminal,
  { backends }: MainOptions = {},
): Promise<number> {
  const { signal, stderr } = terminal;
  let code: number = exitCodes.done;
  const context: Context = { terminal, backends: new BackendTable(backends), finish: (result) => (code = result) };
  const program = commands(context, terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.failed;
    if (signal.aborted) return exitCodes.interrupted;
    // Whoever read our output has seen enough.
    if ((error as NodeJS.ErrnoException)?.code === 'EPIPE') return exitCodes.done;
    await print(stderr, describeError(error, { verbose: program.opts().verbose === true }));
    return exitCodes.failed;
  }
}

function commands(context: Context, { stdout, stderr }: Terminal): Command {
  const program = new Command('transept')
    .description('Transformer models on any backend: translate, generate, compare.')
    .option('--verbose', 'show where in the program an error happened')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show the help of a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'transept: ')),
      getOutHelpWidth: () => columnsOf(stdout),
      getErrHelpWidth: () => columnsOf(stderr),
    });
  addTranslate(program, context);
  addCompare(program, context);
  addBisect(program, context);
  addGenerate(program, context);
  addEmbed(program, context);
  addSearch(program, context);
  addForward(program, context);
  addTokenize(program, context);
  addModels(program, context);
  addFuzz(program, context);
  addPlan(program, context);
  addVerify(program, context);
  addBackends(program, context);
  addBleu(program, context);
  addConformance(program, context);
  addDemo(program, context);
  return program;
}
