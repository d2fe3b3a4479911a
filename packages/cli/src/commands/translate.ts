// `transept translate`: a line of text in, a line of text out, in the same order.
import type { Command } from 'commander';
import { translate } from 'transept';
import { cacheOption, deviceOptions, modelOptions, wholeNumber, weightsOption } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { openOutput } from '../files.ts';
import { openModel } from '../models.ts';
import { Progress } from '../progress.ts';
import { areAtHand, checkText, gather, sourceTexts } from '../texts.ts';
import type { SourceText } from '../texts.ts';

interface TranslateOptions extends ModelOptions, DeviceOptions {
  readonly input?: string;
  readonly output?: string;
  readonly beams?: number;
  readonly batch: number;
}

/** Batches that are read ahead, so that lines of similar length can go together. */
const batchesAhead = 8;

const nothing = (): CommandError => new CommandError('translate: there is no text; expected at least one line');

export function addTranslate(program: Command, context: Context): void {
  const command = program
    .command('translate [text...]')
    .description('translate texts with an encoder-decoder, one line each; without a text, the lines of standard input')
    .option('--input <file>', 'texts, one a line; - for standard input')
    .option('--output <file>', 'where the translations go; default: standard output')
    .option(
      '--beams <n>',
      'beams of beam search, 1 for greedy; default: as generation_config.json says',
      wholeNumber(1),
    )
    .option('--batch <n>', 'texts translated together', wholeNumber(1), 16);
  cacheOption(weightsOption(deviceOptions(modelOptions(command), context))).action(
    (texts: string[], options: TranslateOptions) => run(context, texts, options),
  );
}

async function run(context: Context, texts: string[], options: TranslateOptions): Promise<void> {
  const { terminal } = context;
  const sources = { arguments: texts, input: options.input, command: 'translate' };
  const lines = sourceTexts(sources, terminal);
  // What is at hand is read first: how many there are is known then, and a wrong line shows before the work begins.
  const known = areAtHand(sources) ? await gather(lines) : undefined;
  if (known?.length === 0) throw nothing();
  await using output = await openOutput(options.output, terminal);
  using opened = await openModel(context, options);
  for (const line of known ?? []) checkText(line, opened.model, 'translate');

  using progress = new Progress(terminal.stderr, 'translating');
  let done = 0;
  for await (const group of groups(known ?? lines, options.batch * (known ? batchesAhead : 1))) {
    for (const line of group) checkText(line, opened.model, 'translate');
    const results = await translate(
      opened.model,
      group.map(({ text }) => text),
      {
        batchSize: options.batch,
        signal: terminal.signal,
        ...(options.beams !== undefined && { numBeams: options.beams }),
        onProgress: (part) => progress.update(done + part, known?.length),
      },
    );
    for (const { text } of results) await output.write(`${text.replaceAll('\n', ' ')}\n`);
    done += group.length;
  }
  if (done === 0) throw nothing();
}

async function* groups(
  lines: Iterable<SourceText> | AsyncIterable<SourceText>,
  size: number,
): AsyncGenerator<SourceText[]> {
  let group: SourceText[] = [];
  for await (const line of lines) {
    group.push(line);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
