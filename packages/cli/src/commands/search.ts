// `transept search`: the lines of a file, ranked by how near their meaning is to that of a question.
import type { Command } from 'commander';
import { search } from 'transept';
import { deviceOptions, modelOptions, wholeNumber, weightsOption } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { embedOptions, encodingOptions } from '../encoding.ts';
import type { EncodingOptions } from '../encoding.ts';
import { CommandError } from '../errors.ts';
import { openModel } from '../models.ts';
import { Progress } from '../progress.ts';
import { print } from '../terminal.ts';
import { gather, sourceTexts } from '../texts.ts';

interface SearchCommandOptions extends ModelOptions, DeviceOptions, EncodingOptions {
  readonly input?: string;
  readonly top: number;
  readonly json?: true;
}

export function addSearch(program: Command, context: Context): void {
  const command = program
    .command('search <query>')
    .description('rank lines by how near their meaning is to that of the query: score, number of the line, line')
    .option('--input <file>', 'the lines; - or nothing for standard input')
    .option('--top <n>', 'how many of the best to print', wholeNumber(1), 10)
    .option('--json', 'print [{"score", "line", "text"}]');
  weightsOption(deviceOptions(modelOptions(encodingOptions(command)), context)).action(
    (query: string, options: SearchCommandOptions) => run(context, query, options),
  );
}

async function run(context: Context, query: string, options: SearchCommandOptions): Promise<void> {
  const { terminal } = context;
  if (query.trim() === '') throw new CommandError('search: the query is empty; expected a text');
  const lines = await gather(sourceTexts({ arguments: [], input: options.input, command: 'search' }, terminal));
  const filled = lines.flatMap(({ text }, i) => (text.trim() === '' ? [] : [{ text, line: i + 1 }]));
  if (filled.length === 0) throw new CommandError('search: there is no line to search in; expected at least one');
  using opened = await openModel(context, options);
  using progress = new Progress(terminal.stderr, 'searching');
  const matches = await search(
    opened.model,
    query,
    filled.map(({ text }) => text),
    {
      ...embedOptions(options),
      top: options.top,
      signal: terminal.signal,
      onProgress: (done, total) => progress.update(done, total),
    },
  );
  const found = matches.map(({ index, score, text }) => ({ score, line: filled[index]!.line, text }));
  const widest = String(found.reduce((last, { line }) => Math.max(last, line), 0)).length;
  const rows = found.map(
    ({ score, line, text }) => `${score.toFixed(4).padStart(7)}  ${String(line).padStart(widest)}  ${text}\n`,
  );
  await print(terminal.stdout, options.json ? `${JSON.stringify(found)}\n` : rows.join(''));
}
