// `transept generate`: sequences from ids or text, with the options of generation_config.json, as JSON.
import { generate } from '@transept/generate';
import type { GenerateInputs, GenerationOptions } from '@transept/generate';
import type { Model } from '@transept/models';
import type { Command } from 'commander';
import type { TextModel } from 'transept';
import { arrayOf, maskOf, readCases, rowsOf } from '../cases.ts';
import type { Case } from '../cases.ts';
import { cacheOption, deviceOptions, modelOptions, weightsOption } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { openModel } from '../models.ts';
import { Progress } from '../progress.ts';
import { print } from '../terminal.ts';
import { checkText } from '../texts.ts';

interface GenerateCommandOptions extends ModelOptions, DeviceOptions {
  readonly input: string;
}

export function addGenerate(program: Command, context: Context): void {
  const command = program
    .command('generate')
    .description('generate from ids or text and print {"sequences", "scores", "text"}; for a list of cases, a list')
    .requiredOption(
      '--input <file>',
      'JSON: an object with input_ids and attention_mask, or text, or input_features, perhaps decoder_input_ids, and options as in generation_config.json, or a list of such; - for standard input',
    );
  cacheOption(weightsOption(deviceOptions(modelOptions(command), context))).action((options: GenerateCommandOptions) =>
    run(context, options),
  );
}

interface Result {
  readonly sequences: readonly (readonly number[])[];
  /** Of beam search; null without. */
  readonly scores: readonly number[] | null;
  /** Null for a model without a tokenizer. */
  readonly text: readonly string[] | null;
}

async function run(context: Context, options: GenerateCommandOptions): Promise<void> {
  const { terminal } = context;
  const { cases, listed } = await readCases(options.input, terminal);
  using opened = await openModel(context, options);
  const { model } = opened;
  const calls = cases.map((one) => ({ inputs: generateInputs(one, model), options: generationOptions(one) }));
  const results: Result[] = [];
  using progress = new Progress(terminal.stderr, 'generating');
  for (const [i, call] of calls.entries()) {
    const { sequences, scores } = await generate(model.loaded, call.inputs, {
      ...call.options,
      generationConfig: model.generationConfig,
      signal: terminal.signal,
      onStep: ({ generated }) => progress.update(i, calls.length, `${i + 1} of ${calls.length}: ${generated} tokens`),
    });
    results.push({
      sequences: sequences.map((ids) => [...ids]),
      scores: scores ?? null,
      text: model.tokenizer ? sequences.map((ids) => model.tokenizer!.decode(ids)) : null,
    });
  }
  await print(terminal.stdout, `${JSON.stringify(listed ? results : results[0])}\n`);
}

/** What a case may hold for a model. */
function caseNames({ kind, ...model }: Model): readonly string[] {
  if ('sourceFeatures' in model) return ['input_features', 'decoder_input_ids', 'options'];
  const begin = kind === 'encoder-decoder' ? ['decoder_input_ids'] : [];
  return ['input_ids', 'attention_mask', ...begin, 'text', 'options'];
}

function generateInputs(from: Case, model: TextModel): GenerateInputs {
  const names = caseNames(model.loaded.model);
  const foreign = Object.keys(from).find((name) => !names.includes(name));
  if (foreign !== undefined)
    throw new CommandError(
      `generate: ${foreign} is given; a case has ${names.join(', ')}, and settings belong into options`,
    );
  const begin = { decoderInputIds: rowsOf(from, 'decoder_input_ids', 'generate') };
  const inputFeatures = arrayOf(from, 'input_features', 'generate');
  if (inputFeatures) return { inputFeatures, ...begin };
  if (!names.includes('input_ids'))
    throw new CommandError('generate: input_features are missing; every case needs them, as nested arrays');
  const inputIds = rowsOf(from, 'input_ids', 'generate');
  if ((inputIds === undefined) === (from.text === undefined))
    throw new CommandError(
      `generate: a case has ${inputIds ? 'both' : 'neither'} input_ids ${inputIds ? 'and' : 'nor'} text; expected one of them`,
    );
  if (inputIds) return { inputIds, attentionMask: maskOf(from, 'attention_mask', 'generate'), ...begin };
  if (from.attention_mask !== undefined)
    throw new CommandError('generate: a case has text and attention_mask; the mask of a text is known');
  const texts: unknown[] = Array.isArray(from.text) ? from.text : [from.text];
  return {
    ...begin,
    inputIds: texts.map((text, i) => {
      if (typeof text !== 'string')
        throw new CommandError(
          `generate: text is ${JSON.stringify(from.text)?.slice(0, 60)}; expected a string or a list of them`,
        );
      checkText({ text, place: texts.length > 1 ? `text ${i + 1}` : 'the text' }, model, 'generate');
      return model.tokenizer!.ids(text);
    }),
  };
}

/** Names and values are checked where generation resolves them, in either spelling. */
function generationOptions({ options }: Case): GenerationOptions {
  if (options === undefined || options === null) return {};
  if (typeof options === 'object' && !Array.isArray(options)) return options as GenerationOptions;
  throw new CommandError(
    `generate: options is ${JSON.stringify(options).slice(0, 60)}; expected an object such as {"num_beams": 4}`,
  );
}
