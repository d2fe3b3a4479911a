// What a call of `generate` is given, checked and brought into rows of one length: sources and prompts.
import type { DecoderModel, EncoderDecoderModel, GenerativeModel, LoadedModel } from '@transept/models';
import { batch, featureBatch, InputError, longestOf, paddedLength } from './batch.ts';
import type { Batch, FeatureBatch, NumberArray } from './batch.ts';
import { OptionError } from './options.ts';
import type { ResolvedOptions } from './options.ts';
import type { Rows } from './passes.ts';

export interface GenerateInputs {
  /** Ids of the sources of an encoder-decoder, or of the prompts of a decoder. Rows may differ in length. */
  readonly inputIds?: Rows | undefined;
  /** 1 where an id counts, 0 where it is padding. Default: all count. */
  readonly attentionMask?: Rows | undefined;
  /** In place of ids, for an encoder-decoder whose sources are not text, such as [rows, mel, frames] of sounds. */
  readonly inputFeatures?: NumberArray | undefined;
  /** What the decoder of an encoder-decoder begins with, all rows of one length. Default: its start token. */
  readonly decoderInputIds?: Rows | undefined;
}

export interface Prompt {
  /** As the sequences begin. */
  readonly shown: Batch;
  /** As the decoder is given it: with more padding, so that prompts of similar lengths share a program. */
  readonly fed: Batch;
  /** Padded ids at the start of each row of `shown`. */
  readonly padding?: readonly number[];
}

/** The model, if it generates at all. */
export function generative({ model }: LoadedModel): GenerativeModel {
  if (model.kind === 'decoder' || model.kind === 'encoder-decoder') return model;
  throw new InputError(`generate: "${model.modelType}" has no decoder; it only encodes`);
}

const inputKeys: readonly string[] = [
  'inputIds',
  'attentionMask',
  'inputFeatures',
  'decoderInputIds',
] satisfies (keyof GenerateInputs)[];

export function checkInputs(model: GenerativeModel, inputs: GenerateInputs): void {
  const features = model.kind === 'encoder-decoder' && model.sourceFeatures !== undefined;
  const refuse = (name: string, because: string): never => {
    throw new InputError(`generate: ${name} is given; "${model.modelType}" ${because}`);
  };
  const unknown = Object.keys(inputs).find((name) => !inputKeys.includes(name));
  if (unknown !== undefined)
    throw new InputError(`generate: there is no input "${unknown}"; the inputs are ${inputKeys.join(', ')}`);
  if (inputs.decoderInputIds && model.kind === 'decoder') refuse('decoder_input_ids', 'has no encoder');
  if (inputs.inputFeatures && !features) refuse('input_features', 'takes input_ids');
  if (inputs.inputIds && features) refuse('input_ids', 'takes input_features');
  if (inputs.attentionMask && features) refuse('attention_mask', 'takes none: all of input_features counts');
  if (features ? inputs.inputFeatures : inputs.inputIds) return;
  throw new InputError(
    `generate: ${features ? 'input_features' : 'input_ids'} are missing; "${model.modelType}" needs them`,
  );
}

/** Tokens that must come, or get scores of their own, have to be there. */
export function checkTokens(
  { forcedBosTokenId, forcedEosTokenId, badWordsIds, sequenceBias }: ResolvedOptions,
  vocabSize: number,
): void {
  const named = {
    forcedBosTokenId: [forcedBosTokenId ?? 0],
    forcedEosTokenId,
    badWordsIds: badWordsIds.flat(),
    sequenceBias: sequenceBias.flatMap(([ids]) => ids),
  };
  for (const [name, ids] of Object.entries(named)) {
    const outside = ids.find((id) => id >= vocabSize);
    if (outside !== undefined)
      throw new OptionError(`generate: option ${name} names token ${outside}; the vocabulary has ${vocabSize} tokens`);
  }
}

/** Each row is decoded `copies` times. */
export function paddedPrompt(
  model: DecoderModel,
  { inputIds = [], attentionMask }: GenerateInputs,
  { pad, copies }: { pad: number; copies: number },
): Prompt {
  const options = {
    name: 'input_ids',
    vocabSize: model.vocabSize,
    maxLength: model.maxPositions,
    side: 'left',
    mask: attentionMask,
    needsTokens: true,
  } as const;
  const shown = batch(inputIds, options);
  const rows = shown.rows * copies;
  const length = shown.length === 1 ? 1 : paddedLength(shown.length, { rows, most: Infinity });
  const fed = batch(inputIds, { ...options, length });
  const padding = inputIds.map((_, r) => shown.mask.subarray(r * shown.length, (r + 1) * shown.length).indexOf(1));
  // Rows that were shorter than the longest show the pad token, those that came padded what they came with.
  inputIds.forEach((row, r) => shown.ids.fill(pad, r * shown.length, (r + 1) * shown.length - row.length));
  return { shown, fed, padding };
}

/** What the decoder begins with: its start token, or ids that are given, with the start token before them if need be. */
export function startTokens(
  { vocabSize, maxPositions, sourceFeatures }: EncoderDecoderModel,
  rows: number,
  { decoderInputIds }: GenerateInputs,
  { decoderStartTokenId: start }: ResolvedOptions,
): Prompt {
  if (start === undefined)
    throw new OptionError('generate: option decoderStartTokenId is not set; an encoder-decoder begins with it');
  const given = decoderInputIds ?? Array.from({ length: rows }, () => [start]);
  // As transformers does; prompts of speech models are taken as they are.
  const begun = sourceFeatures !== undefined || given.some((row) => row[0] === start);
  const ids = begun ? given : given.map((row) => [start, ...Array.from(row)]);
  const ragged = ids.findIndex((row) => row.length !== ids[0]!.length);
  if (ids.length !== rows || ragged > 0)
    throw new InputError(
      `decoder_input_ids: ${ids.length} rows of ${[...new Set(ids.map((row) => row.length))].join(' and ')} ids; expected ${rows} rows of one length`,
    );
  const first = batch(ids, { name: 'decoder_input_ids', vocabSize, maxLength: maxPositions, side: 'right' });
  return { shown: first, fed: first };
}

export function sourceBatch(model: EncoderDecoderModel, inputs: GenerateInputs): Batch | FeatureBatch {
  const { sourceVocabSize, maxSourcePositions, sourceFeatures } = model;
  if (sourceFeatures) return featureBatch('input_features', inputs.inputFeatures!, sourceFeatures);
  const sources = inputs.inputIds!;
  return batch(sources, {
    name: 'input_ids',
    vocabSize: sourceVocabSize,
    maxLength: maxSourcePositions,
    length: paddedLength(longestOf(sources), { rows: sources.length, most: maxSourcePositions }),
    side: 'right',
    mask: inputs.attentionMask,
    needsTokens: true,
  });
}

/** Sources with their padding, as some processors look at them. */
export function paddedSources(inputIds: Rows, pad: number): number[][] {
  const longest = longestOf(inputIds);
  return inputIds.map((row) => Array.from({ length: longest }, (_, i) => row[i] ?? pad));
}
