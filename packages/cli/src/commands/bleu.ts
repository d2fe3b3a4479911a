// `transept bleu`: how near translations come to references, as sacrebleu scores a corpus. Translates first where a source is
// given instead of hypotheses.
import { corpusBleu, corpusChrf } from '@transept/metrics';
import type { Command } from 'commander';
import { translate } from 'transept';
import { deviceOptions, modelOptions, wholeNumber, weightsOption } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { readLines } from '../files.ts';
import { openModel } from '../models.ts';
import { Progress } from '../progress.ts';
import { print } from '../terminal.ts';
import { checkText, gather } from '../texts.ts';

interface BleuOptions extends ModelOptions, DeviceOptions {
  readonly references: string;
  readonly hypotheses?: string;
  readonly source?: string;
  readonly beams?: number;
  readonly batch: number;
  readonly json?: true;
}

export function addBleu(program: Command, context: Context): void {
  const command = program
    .command('bleu')
    .description('BLEU (13a) and chrF of translations, or of what a model makes of a source')
    .requiredOption('--references <file>', 'how people translated it, one line each')
    .option('--hypotheses <file>', 'translations, one line each')
    .option('--source <file>', 'texts to translate first, one line each')
    .option(
      '--beams <n>',
      'with --source: beams, 1 for greedy; default: as generation_config.json says',
      wholeNumber(1),
    )
    .option('--batch <n>', 'with --source: texts translated together', wholeNumber(1), 16)
    .option('--json', 'print JSON');
  weightsOption(deviceOptions(modelOptions(command), context)).action((options: BleuOptions) => run(context, options));
}

async function run(context: Context, options: BleuOptions): Promise<void> {
  const { terminal } = context;
  const { hypotheses: given, source, references: path, json } = options;
  if ((given === undefined) === (source === undefined))
    throw new CommandError('bleu: expected either --hypotheses or --source');
  const lines = (file: string): Promise<string[]> => gather(readLines(file, terminal));
  const references = await lines(path);
  const texts = await lines((given ?? source)!);
  if (texts.length !== references.length)
    throw new CommandError(
      `bleu: ${given ?? source} has ${texts.length} lines, ${path} has ${references.length}; they must be equal`,
    );
  if (texts.length === 0) throw new CommandError(`bleu: ${given ?? source} has no lines; expected at least one`);
  const hypotheses = given === undefined ? await translated(context, texts, options) : texts;
  const bleu = corpusBleu(hypotheses, references);
  const chrf = corpusChrf(hypotheses, references);
  await print(
    terminal.stdout,
    json
      ? `${JSON.stringify({ bleu, chrf, lines: texts.length })}\n`
      : `BLEU ${bleu.score.toFixed(2)} (${bleu.precisions.map((p) => p.toFixed(1)).join('/')}, brevity penalty ${bleu.brevityPenalty.toFixed(3)})  chrF ${chrf.toFixed(2)}  over ${texts.length} lines\n`,
  );
}

async function translated(context: Context, texts: readonly string[], options: BleuOptions): Promise<string[]> {
  const { terminal } = context;
  using opened = await openModel(context, options);
  for (const [i, text] of texts.entries())
    checkText({ text, place: `line ${i + 1} of ${options.source}` }, opened.model, 'bleu');
  using progress = new Progress(terminal.stderr, 'translating');
  const results = await translate(opened.model, texts, {
    batchSize: options.batch,
    signal: terminal.signal,
    ...(options.beams !== undefined && { numBeams: options.beams }),
    onProgress: (done, total) => progress.update(done, total),
  });
  return results.map(({ text }) => text);
}
