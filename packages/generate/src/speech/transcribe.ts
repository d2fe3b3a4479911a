// Sequences from sounds as Whisper makes them: a prompt of language and task, and with timestamps piece by piece, each beginning
// where the one before has ended, so that sounds may be longer than what the encoder takes at once.
import type { LoadedModel } from '@transept/models';
import { InputError, longestOf } from '../batch.ts';
import type { NumberArray } from '../batch.ts';
import { surviving } from '../course.ts';
import { forward } from '../forward.ts';
import type { FamilyRules, Generated, GenerateOptions } from '../generate.ts';
import type { GenerateInputs } from '../inputs.ts';
import { OptionError } from '../options.ts';
import { timestampRules } from '../processors/timestamps.ts';
import { languageIsOpen, languageTokens, speechOptionNames, speechPrompt, speechSettings } from './settings.ts';
import type { SpeechSettings } from './settings.ts';

/** Does the model take features of sounds? */
export const hearsSpeech = ({ model }: LoadedModel): boolean =>
  model.kind === 'encoder-decoder' && model.sourceFeatures !== undefined;

interface SpeechCall {
  readonly inputs: GenerateInputs;
  readonly options: GenerateOptions;
  readonly rules: FamilyRules;
}

type GenerateOnce = (
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
  rules?: FamilyRules,
) => Promise<Generated>;

/** One search over sounds that fit, without timestamps. Throws an OptionError where timestamps are asked for. */
export async function speechCall(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
): Promise<SpeechCall> {
  const settings = settingsOf(loaded, options);
  if (settings.timestamps)
    throw new OptionError(
      'stream: option returnTimestamps is true; with timestamps the result is only known at the end, so use generate',
    );
  return prompted(loaded, inputs, options, settings);
}

/** Sequences with their prompts; with timestamps without, all pieces of a row joined. */
export async function transcribe(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
  generateOnce: GenerateOnce,
): Promise<Generated> {
  const settings = settingsOf(loaded, options);
  if (settings.timestamps) return timed(loaded, inputs, options, settings, generateOnce);
  const call = await prompted(loaded, inputs, options, settings);
  return generateOnce(loaded, call.inputs, call.options, call.rules);
}

function settingsOf({ config }: LoadedModel, options: GenerateOptions): SpeechSettings {
  const { generationConfig = {}, ...call } = options;
  return speechSettings({ call: call as Readonly<Record<string, unknown>>, generationConfig, config });
}

async function prompted(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
  settings: SpeechSettings,
): Promise<SpeechCall> {
  const decoderInputIds = inputs.decoderInputIds ?? (await prompts(loaded, inputs, settings, options));
  return {
    inputs: { ...inputs, ...(decoderInputIds && { decoderInputIds }) },
    options: lengthened(loaded, options, decoderInputIds?.[0]?.length ?? 1),
    rules: rulesOf(settings),
  };
}

const rulesOf = (settings: SpeechSettings): FamilyRules => ({
  names: speechOptionNames,
  processors: ({ eosTokenId, bosTokenId }, { promptLength }) =>
    settings.timestamps
      ? [
          timestampRules({
            noTimestamps: settings.noTimestamps!,
            eos: eosTokenId[0] ?? bosTokenId ?? 0,
            maxInitial: settings.maxInitialTimestamp,
            begin: promptLength,
          }),
        ]
      : [],
});

/** A maximum length does not count the prompt. */
function lengthened({ model, config }: LoadedModel, options: GenerateOptions, prompt: number): GenerateOptions {
  const call = options as Readonly<Record<string, unknown>>;
  const from = (camel: string, snake: string): unknown =>
    call[camel] ??
    call[snake] ??
    options.generationConfig?.[snake] ??
    (options.generationConfig ? undefined : config[snake]);
  const most = from('maxLength', 'max_length');
  if (typeof most !== 'number' || from('maxNewTokens', 'max_new_tokens') !== undefined) return options;
  const { maxPositions } = model as { maxPositions: number };
  const { ['max_length' as keyof GenerateOptions]: _, ...rest } = options;
  const added = Math.min(Math.floor(maxPositions / 2) - 1, prompt);
  return { ...rest, maxLength: Math.min(most + added, maxPositions) };
}

/** The prompts of all rows; undefined where inputs are missing, which is found out later. */
async function prompts(
  loaded: LoadedModel,
  { inputFeatures }: GenerateInputs,
  settings: SpeechSettings,
  { onDeviceLost }: GenerateOptions,
): Promise<number[][] | undefined> {
  const rows = inputFeatures?.shape[0];
  if (!inputFeatures || rows === undefined) return undefined;
  const languages = languageIsOpen(settings)
    ? await surviving(loaded, onDeviceLost, (on) => detectLanguages(on, inputFeatures, settings))
    : languageTokens(settings, rows);
  return Array.from({ length: rows }, (_, r) => speechPrompt(settings, languages?.[r]));
}

/** The likeliest language token of each row after the start token. */
async function detectLanguages(
  loaded: LoadedModel,
  inputFeatures: NumberArray,
  { start, languageIds = {} }: SpeechSettings,
): Promise<number[]> {
  const rows = inputFeatures.shape[0]!;
  const first = firstFrames(inputFeatures, framesOf(loaded));
  const { logits } = await forward(loaded, {
    inputFeatures: first,
    decoderInputIds: Array.from({ length: rows }, () => [start]),
  });
  const { data, shape } = logits!;
  const width = shape[2]!;
  return Array.from({ length: rows }, (_, r) =>
    Object.values(languageIds).reduce((best, id) => (data[r * width + id]! > data[r * width + best]! ? id : best)),
  );
}

const framesOf = ({ model }: LoadedModel): number =>
  (model as { sourceFeatures: readonly number[] }).sourceFeatures.at(-1)!;

/** Frames from `from` on of some rows of [B, mel, frames], with zeros where there are no more. */
function frames(
  { shape, data }: NumberArray,
  count: number,
  rows: readonly number[],
  from: readonly number[],
): NumberArray {
  const [, mel, all] = shape as readonly [number, number, number];
  const out = new Float32Array(rows.length * mel * count);
  rows.forEach((row, r) => {
    for (let m = 0; m < mel; m++)
      for (let t = 0; t < Math.min(count, all - from[r]!); t++)
        out[(r * mel + m) * count + t] = data[(row * mel + m) * all + from[r]! + t]!;
  });
  return { shape: [rows.length, mel, count], data: out };
}

const firstFrames = (features: NumberArray, count: number): NumberArray =>
  frames(features, count, [...Array(features.shape[0]!).keys()], Array(features.shape[0]!).fill(0));

async function timed(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
  settings: SpeechSettings,
  generateOnce: GenerateOnce,
): Promise<Generated> {
  const { inputFeatures } = inputs;
  const count = framesOf(loaded);
  if (inputFeatures?.shape.length !== 3 || inputFeatures.shape[2]! < count)
    throw new InputError(
      `generate: input_features has shape [${inputFeatures?.shape.join(', ') ?? ''}]; expected [rows, mel, ${count} frames or more]`,
    );
  if ((options.numReturnSequences ?? 1) !== 1)
    throw new OptionError(
      `generate: option numReturnSequences is ${options.numReturnSequences}; with timestamps there is one sequence a row`,
    );
  const [rows, , total] = inputFeatures.shape as readonly [number, number, number];
  const begin = inputs.decoderInputIds ?? (await prompts(loaded, inputs, settings, options))!;
  const found = Array.from({ length: rows }, (): number[] => []);
  const seek = new Array<number>(rows).fill(0);
  let lengths = options;
  for (let open = [...found.keys()]; open.length > 0; open = open.filter((r) => seek[r]! < total)) {
    const decoderInputIds = open.map((r) => begin[r]!);
    lengths = lengthened(loaded, lengths, decoderInputIds[0]!.length);
    const piece = frames(
      inputFeatures,
      count,
      open,
      open.map((r) => seek[r]!),
    );
    const { sequences } = await generateOnce(
      loaded,
      { inputFeatures: piece, decoderInputIds },
      lengths,
      rulesOf(settings),
    );
    open.forEach((r, i) => {
      const tokens = withoutEnd(sequences[i]!.subarray(decoderInputIds[i]!.length), options, loaded);
      const { kept, advance } = segment(tokens, settings.noTimestamps! + 1, Math.min(count, total - seek[r]!));
      found[r]!.push(...kept);
      seek[r]! += advance;
    });
  }
  const longest = longestOf(found);
  const { pad } = ends(options, loaded);
  return {
    sequences: found.map((row) => Int32Array.from({ length: longest }, (_, i) => row[i] ?? pad)),
    lengths: found.map((row) => row.length),
  };
}

function ends(options: GenerateOptions, { config }: LoadedModel): { pad: number; eos: readonly number[] } {
  const call = options as Readonly<Record<string, unknown>>;
  const from = (camel: string, snake: string): unknown =>
    call[camel] ?? call[snake] ?? options.generationConfig?.[snake] ?? config[snake];
  const eos = [from('eosTokenId', 'eos_token_id') ?? []].flat() as number[];
  return { eos, pad: (from('padTokenId', 'pad_token_id') as number | undefined) ?? eos[0] ?? 0 };
}

/** Without padding at the end, and without the token that ends it. */
function withoutEnd(tokens: Int32Array, options: GenerateOptions, loaded: LoadedModel): number[] {
  const { eos, pad } = ends(options, loaded);
  const end = tokens.findIndex((token) => eos.includes(token));
  const left = [...(end < 0 ? tokens : tokens.subarray(0, end))];
  while (!eos.includes(pad) && left.at(-1) === pad) left.pop();
  return left;
}

/** Frames that a timestamp stands for. */
const framesPerTimestamp = 2;

/**
 * What counts of a piece, and how many frames it has dealt with. Two timestamps in a row end a segment; what comes after the last such
 * pair is left to the next piece, unless one timestamp ends it all: nothing is said after that.
 */
function segment(tokens: readonly number[], first: number, left: number): { kept: readonly number[]; advance: number } {
  const isTime = (i: number): boolean => i >= 0 && tokens[i]! >= first;
  let pair = -1;
  for (let i = 0; i + 1 < tokens.length; i++) if (isTime(i) && isTime(i + 1)) pair = i;
  const endsOnce = isTime(tokens.length - 1) && tokens.length > 1 && !isTime(tokens.length - 2);
  if (pair < 0 || endsOnce) return { kept: tokens, advance: left };
  return { kept: tokens.slice(0, pair + 2), advance: (tokens[pair]! - first) * framesPerTimestamp };
}
