// Text in, text out: encoding, batching by length, generation, decoding.
import { generate, InputError, OptionError, stream } from '@transept/generate';
import type { GenerateOptions, GenerationOptions, OnPrepare } from '@transept/generate';
import type { Tokenizer } from '@transept/tokenizer';
import { batches } from './batches.ts';
import type { TextModel } from './load.ts';

/** One sequence is made for each text. */
type OneEach = Omit<GenerationOptions, 'numReturnSequences'>;

/** What is passed on to generation. */
interface Passed {
  readonly signal?: AbortSignal;
  /** Called while the device gets ready for texts of a new size, such as while shaders compile: parts ready, and all. */
  readonly onPrepare?: OnPrepare;
}

export interface TextOptions extends OneEach, Passed {
  /** Texts that go through the model together. Default: 16. */
  readonly batchSize?: number;
  /** Called when texts are done, with how many of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a model made of one text. */
export interface TextResult {
  /** For a decoder with the text that it continues. */
  readonly text: string;
  /** Ids of the text that was given. */
  readonly sourceIds: readonly number[];
  /** Ids of `text`, its special tokens included. */
  readonly ids: readonly number[];
  /** With beams: the length-normalised log-probability. */
  readonly score?: number;
}

/**
 * Generate from each text: what an encoder-decoder makes of it, or the text and its continuation for a decoder. Results are in the
 * order of the texts. Throws an InputError for a text that is empty or too long and an OptionError for options that do not fit.
 */
export async function generateText(
  model: TextModel,
  texts: readonly string[],
  options: TextOptions = {},
): Promise<TextResult[]> {
  const { batchSize, signal, onProgress, ...rest } = options;
  const tokenizer = tokenizerOf(model);
  const sources = texts.map((text, i) =>
    encode(tokenizer, text, texts.length > 1 ? `text ${i + 1} of ${texts.length}` : 'the text'),
  );
  const lengths = sources.map((ids) => ids.length);
  const results = new Array<TextResult>(texts.length);
  let done = 0;
  for (const [g, group] of batches(lengths, batchSize).entries()) {
    // Each group draws numbers of its own.
    const seed = typeof rest.seed === 'number' && { seed: rest.seed + g };
    const inputIds = group.map((i) => sources[i]!);
    const generated = await generate(
      model.loaded,
      { inputIds },
      { ...oneEach(rest), ...seed, ...ofModel(model), ...(signal && { signal }) },
    );
    // Prompts are padded in front to the longest, which is the last.
    const longest = model.loaded.model.kind === 'decoder' ? inputIds.at(-1)!.length : 0;
    group.forEach((i, row) => {
      const start = Math.max(0, longest - lengths[i]!);
      const ids = [...generated.sequences[row]!.subarray(start, generated.lengths[row])];
      const score = generated.scores?.[row];
      results[i] = { text: tokenizer.decode(ids), sourceIds: sources[i]!, ids, ...(score !== undefined && { score }) };
    });
    onProgress?.((done += group.length), texts.length);
  }
  return results;
}

/** Translate each text with an encoder-decoder. Throws an InputError for a model without an encoder. */
export function translate(model: TextModel, texts: readonly string[], options?: TextOptions): Promise<TextResult[]> {
  if (model.loaded.model.kind !== 'encoder-decoder')
    throw new InputError(
      `translate: ${model.name} is a "${model.loaded.model.modelType}", which has no encoder; use generateText`,
    );
  return generateText(model, texts, options);
}

export interface StreamOptions extends OneEach, Passed {}

/**
 * Generate from one text, and give what is generated piece by piece, whole characters only. Greedy or sampled; throws an OptionError
 * for beams, which are known only at the end.
 */
export async function* streamText(
  model: TextModel,
  text: string,
  options: StreamOptions = {},
): AsyncGenerator<string, void, undefined> {
  const tokenizer = tokenizerOf(model);
  const decoder = tokenizer.stream();
  const { signal, ...rest } = options;
  const source = encode(tokenizer, text, 'the text');
  for await (const [id] of stream(
    model.loaded,
    { inputIds: [source] },
    { ...oneEach(rest), ...ofModel(model), ...(signal && { signal }) },
  )) {
    const piece = decoder.push(id!);
    if (piece) yield piece;
  }
  const last = decoder.end();
  if (last) yield last;
}

const ofModel = ({ generationConfig, recover }: TextModel): GenerateOptions => ({
  generationConfig,
  ...(recover && { onDeviceLost: recover }),
});

/** Whatever generation_config.json says, there is one result for each text. */
function oneEach(options: GenerationOptions): GenerationOptions {
  const { numReturnSequences } = options;
  if (numReturnSequences !== undefined && numReturnSequences !== 1)
    throw new OptionError(
      `text: option numReturnSequences is ${numReturnSequences}; there is one result for each text, for more use generate`,
    );
  return { ...options, numReturnSequences: 1 };
}

function encode(tokenizer: Tokenizer, text: string, which: string): readonly number[] {
  if (text.trim() === '') throw new InputError(`text: ${which} is empty; it must hold at least one character`);
  return tokenizer.encode(text).ids;
}

function tokenizerOf({ tokenizer, name }: TextModel): Tokenizer {
  if (!tokenizer) throw new InputError(`text: ${name} has no tokenizer.json; give ids instead of text`);
  return tokenizer;
}
