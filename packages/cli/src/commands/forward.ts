// `transept forward`: one pass over given ids, and every tensor that transformers would return for it, as safetensors.
import { safetensorsPieces } from '@transept/checkpoint';
import type { StoredTensor } from '@transept/checkpoint';
import { forward, inputNames } from '@transept/generate';
import type { ForwardInputs } from '@transept/generate';
import type { Model } from '@transept/models';
import type { Command } from 'commander';
import { arrayOf, maskOf, readCases, rowsOf } from '../cases.ts';
import type { Case } from '../cases.ts';
import { deviceOptions, modelOptions, weightsOption } from '../context.ts';
import type { Context, DeviceOptions, ModelOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { writeWhole } from '../files.ts';
import { openModel } from '../models.ts';
import { Progress } from '../progress.ts';

interface ForwardCommandOptions extends ModelOptions, DeviceOptions {
  readonly input: string;
  readonly output: string;
  readonly hidden?: true;
  readonly attentions?: true;
}

export function addForward(program: Command, context: Context): void {
  const command = program
    .command('forward')
    .description('run a model over ids and write what it computes')
    .requiredOption(
      '--input <file>',
      'JSON: an object with input_ids and whatever else the model takes, as nested arrays, or a list of such; - for standard input',
    )
    .requiredOption(
      '--output <file>',
      'safetensors: logits and so on, f32, named as in transformers; for a list of cases 0.logits, 1.logits …',
    )
    .option('--hidden', 'also write hidden_states.I (encoder_hidden_states.I, decoder_hidden_states.I)')
    .option('--attentions', 'also write attentions.I (encoder_attentions.I, decoder_attentions.I, cross_attentions.I)');
  weightsOption(deviceOptions(modelOptions(command), context)).action((options: ForwardCommandOptions) =>
    run(context, options),
  );
}

async function run(context: Context, options: ForwardCommandOptions): Promise<void> {
  const { terminal } = context;
  const { cases, listed } = await readCases(options.input, terminal);
  using opened = await openModel(context, options);
  const { loaded } = opened.model;
  const inputs = cases.map((one) => forwardInputs(one, loaded.model));
  const tensors: Record<string, StoredTensor> = {};
  using progress = new Progress(terminal.stderr, 'forward');
  for (const [i, input] of inputs.entries()) {
    progress.update(i, inputs.length);
    const outputs = await forward(loaded, input, {
      hiddenStates: options.hidden ?? false,
      attentions: options.attentions ?? false,
      signal: terminal.signal,
    });
    for (const [name, { shape, data }] of Object.entries(outputs))
      tensors[listed ? `${i}.${name}` : name] = { dtype: 'F32', shape, data };
  }
  await writeWhole(options.output, safetensorsPieces(tensors));
}

function forwardInputs(from: Case, model: Model): ForwardInputs {
  const names = inputNames(model);
  const foreign = Object.keys(from).find((name) => !names.includes(name) && from[name] !== null);
  if (foreign !== undefined)
    throw new CommandError(
      `forward: ${foreign} is given; "${model.modelType}" does not take it, but ${names.join(', ')}`,
    );
  const [first] = names;
  if (from[first!] === undefined || from[first!] === null)
    throw new CommandError(`forward: ${first} are missing; every case needs them, as nested arrays`);
  return {
    inputIds: rowsOf(from, 'input_ids', 'forward'),
    attentionMask: maskOf(from, 'attention_mask', 'forward'),
    tokenTypeIds: rowsOf(from, 'token_type_ids', 'forward'),
    positionIds: rowsOf(from, 'position_ids', 'forward'),
    decoderInputIds: rowsOf(from, 'decoder_input_ids', 'forward'),
    decoderAttentionMask: maskOf(from, 'decoder_attention_mask', 'forward'),
    inputFeatures: arrayOf(from, 'input_features', 'forward'),
    pixelValues: arrayOf(from, 'pixel_values', 'forward'),
  };
}
