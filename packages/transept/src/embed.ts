// Texts as vectors whose directions say what they mean, and texts ranked by how near they are to a question.
import { Shared } from '@transept/checkpoint';
import { InputError, pooled, surviving } from '@transept/generate';
import type { Pooling } from '@transept/generate';
import { batches } from './batches.ts';
import type { TextModel } from './load.ts';
import { readSentenceConfig } from './sentence-config.ts';
import type { SentenceConfig } from './sentence-config.ts';

export interface EmbedOptions {
  /** How tokens become one vector. Default: as the folder says, else the mean. */
  readonly pooling?: Pooling | readonly Pooling[];
  /** Bring vectors to length one. Default: as the folder says, else yes. */
  readonly normalize?: boolean;
  /** Put before each text. Default: the folder's default prompt, if it has one. */
  readonly prompt?: string;
  /** One of the folder's prompts, by its name. */
  readonly promptName?: string;
  /** Texts that go through the model together. Default: 16. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called when texts are done, with how many of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * A vector for each text, in the order of the texts. What is longer than the model takes is cut, as sentence-transformers does.
 * Throws an InputError for a model that is neither an encoder nor decoder-only, or has no tokenizer.
 */
export async function embed(
  model: TextModel,
  texts: readonly string[],
  options: EmbedOptions = {},
): Promise<Float32Array[]> {
  const { signal, onProgress } = options;
  const config = await sentenceConfig(model, signal);
  const { pooling = config.pooling, normalize = config.normalize } = options;
  const ids = texts.map(encoder(model, config, promptOf(config, options)));
  const lengths = ids.map((row) => row.length);
  const vectors = new Array<Float32Array>(texts.length);
  let done = 0;
  for (const group of batches(lengths, options.batchSize)) {
    const rows = group.map((i) => ids[i]!);
    const some = await surviving(model.loaded, model.recover, (loaded) =>
      pooled(loaded, rows, { pooling: [pooling].flat(), normalize, signal }),
    );
    signal?.throwIfAborted();
    group.forEach((i, g) => (vectors[i] = some[g]!));
    onProgress?.((done += group.length), texts.length);
  }
  return vectors;
}

export interface Match {
  /** Which of the texts it is. */
  readonly index: number;
  readonly text: string;
  /** Cosine of the angle between the vectors: 1 for the same direction. */
  readonly score: number;
}

export interface SearchOptions extends Omit<EmbedOptions, 'normalize'> {
  /** How many of the best to give. Default: all. */
  readonly top?: number;
}

/** The texts ranked by how near their meaning is to that of the query, best first. */
export async function search(
  model: TextModel,
  query: string,
  texts: readonly string[],
  { top = texts.length, ...options }: SearchOptions = {},
): Promise<Match[]> {
  const [asked, ...vectors] = await embed(model, [query, ...texts], options);
  return rank(asked!, vectors)
    .slice(0, top)
    .map(({ index, score }) => ({ index, text: texts[index]!, score }));
}

/** Vectors by the cosine of their angle with `query`, best first; equal ones keep their order. */
export function rank(query: Float32Array, vectors: readonly Float32Array[]): { index: number; score: number }[] {
  return vectors.map((vector, index) => ({ index, score: cosine(query, vector) })).sort((a, b) => b.score - a.score);
}

/** Cosine of the angle between two vectors; 0 where one of them has no length. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [product, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return aa === 0 || bb === 0 ? 0 : product / Math.sqrt(aa * bb);
}

const configs = new WeakMap<TextModel, Shared<SentenceConfig>>();

function sentenceConfig(model: TextModel, signal?: AbortSignal): Promise<SentenceConfig> {
  const config = configs.get(model) ?? new Shared((stop) => readSentenceConfig(model.files, stop));
  configs.set(model, config);
  return config.get(signal);
}

function promptOf(
  { prompts, defaultPrompt }: SentenceConfig,
  { prompt, promptName = defaultPrompt }: EmbedOptions,
): string {
  if (prompt !== undefined) return prompt;
  if (promptName === undefined) return '';
  if (Object.hasOwn(prompts, promptName)) return prompts[promptName]!;
  const known = Object.keys(prompts);
  throw new InputError(
    `embed: there is no prompt "${promptName}"; this model has ${known.length > 0 ? known.join(', ') : 'none'}`,
  );
}

function encoder(
  { loaded, tokenizer, name }: TextModel,
  config: SentenceConfig,
  prompt: string,
): (text: string) => number[] {
  const { model } = loaded;
  if (model.kind !== 'encoder' && model.kind !== 'decoder')
    throw new InputError(
      `embed: ${name} is a "${model.modelType}", which is no text encoder; take one such as bert, or a decoder-only model`,
    );
  if (!tokenizer) throw new InputError(`embed: ${name} has no tokenizer.json; give ids to \`pooled\` instead`);
  const maxLength = Math.min(config.maxTokens ?? Infinity, model.maxPositions);
  const truncation = Number.isFinite(maxLength) ? { maxLength } : false;
  return (text) => {
    const whole = prompt + text;
    return tokenizer.ids(config.lowerCase ? whole.toLowerCase() : whole, { truncation, padding: false });
  };
}
