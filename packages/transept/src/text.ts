// Text in, text out: encoding, batching by length, generation, decoding.
import { generate, InputError, stream } from '@transept/generate';
import type { GenerationOptions } from '@transept/generate';
import type { Tokenizer } from '@transept/tokenizer';
import type { TextModel } from './load.ts';

export interface TextOptions extends GenerationOptions {
  /** Texts that go through the model together. Default: 16. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called when texts are done, with how many of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a model made of one text. */
export interface TextResult {
  readonly text: string;
  /** Ids of the source and of what was generated, without padding. */
  readonly sourceIds: readonly number[];
  readonly ids: readonly number[];
  /** With beams: the length-normalised log-probability. */
  readonly score?: number;
}

/** Generate from each text: its translation for an encoder-decoder, its continuation for a decoder. Results are in the order of the texts. */
export async function generateText(
  model: TextModel,
  texts: readonly string[],
  options: TextOptions = {},
): Promise<TextResult[]> {
  const { batchSize = 16, signal, onProgress, ...rest } = options;
  const tokenizer = tokenizerOf(model);
  const sources = texts.map((text, i) =>
    encode(tokenizer, text, texts.length > 1 ? `text ${i + 1} of ${texts.length}` : 'the text'),
  );
  // Texts of similar length go together, so that little is padding.
  const order = [...sources.keys()].sort((a, b) => sources[a]!.length - sources[b]!.length);
  const results = new Array<TextResult>(texts.length);
  for (let at = 0; at < order.length; at += batchSize) {
    const group = order.slice(at, at + batchSize);
    const { sequences, scores } = await generate(
      model.loaded,
      { inputIds: group.map((i) => sources[i]!) },
      {
        ...rest,
        generationConfig: model.generationConfig,
        ...(signal && { signal }),
      },
    );
    const perText = sequences.length / group.length;
    group.forEach((i, g) => {
      const ids = [...sequences[g * perText]!];
      const score = scores?.[g * perText];
      results[i] = { text: tokenizer.decode(ids), sourceIds: sources[i]!, ids, ...(score !== undefined && { score }) };
    });
    onProgress?.(Math.min(at + batchSize, order.length), order.length);
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

export interface StreamOptions extends GenerationOptions {
  readonly signal?: AbortSignal;
}

/** Generate from one text, and give the text piece by piece, whole characters only. Greedy. */
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
    { ...rest, generationConfig: model.generationConfig, ...(signal && { signal }) },
  )) {
    const piece = decoder.push(id!);
    if (piece) yield piece;
  }
  const last = decoder.end();
  if (last) yield last;
}

function encode(tokenizer: Tokenizer, text: string, which: string): readonly number[] {
  if (text.trim() === '') throw new InputError(`text: ${which} is empty; it must hold at least one character`);
  return tokenizer.encode(text).ids;
}

function tokenizerOf({ tokenizer, name }: TextModel): Tokenizer {
  if (!tokenizer) throw new InputError(`text: ${name} has no tokenizer.json; give ids instead of text`);
  return tokenizer;
}
