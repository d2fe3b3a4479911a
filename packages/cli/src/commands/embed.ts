// `transept embed`: texts to vectors, one JSON array a line.
import type { Command } from 'commander';
import { embed } from 'transept';
import { deviceOptions, modelOptions, weightsOption } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { openOutput } from '../files.ts';
import { openModel } from '../models.ts';
import { embedOptions, encodingOptions } from '../encoding.ts';
import type { EncodingOptions } from '../encoding.ts';
import { Progress } from '../progress.ts';
import { gather, sourceTexts } from '../texts.ts';

interface EmbedCommandOptions extends ModelOptions, DeviceOptions, EncodingOptions {
  readonly input?: string;
  readonly output?: string;
  readonly normalize: boolean;
}

export function addEmbed(program: Command, context: Context): void {
  const command = program
    .command('embed [text...]')
    .description(
      'a vector for each text with an encoder, as a JSON array; without a text, for the lines of standard input',
    )
    .option('--input <file>', 'texts, one a line; - for standard input')
    .option('--output <file>', 'where the vectors go; default: standard output')
    .option('--no-normalize', 'do not bring vectors to length one');
  weightsOption(deviceOptions(modelOptions(encodingOptions(command)), context)).action(
    (texts: string[], options: EmbedCommandOptions) => run(context, texts, options),
  );
}

async function run(context: Context, texts: string[], options: EmbedCommandOptions): Promise<void> {
  const { terminal } = context;
  const lines = await gather(sourceTexts({ arguments: texts, input: options.input, command: 'embed' }, terminal));
  if (lines.length === 0) throw new CommandError('embed: there is no text; expected at least one line');
  await using output = await openOutput(options.output, terminal);
  using opened = await openModel(context, options);
  using progress = new Progress(terminal.stderr, 'embedding');
  const vectors = await embed(
    opened.model,
    lines.map(({ text }) => text),
    {
      ...embedOptions(options),
      ...(!options.normalize && { normalize: false }),
      signal: terminal.signal,
      onProgress: (done, total) => progress.update(done, total),
    },
  );
  for (const vector of vectors) await output.write(`${JSON.stringify([...vector])}\n`);
}
