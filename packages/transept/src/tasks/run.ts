// Encoded texts through an encoder and its head, together where they are of similar length.
import { forward, InputError, surviving } from '@transept/generate';
import type { OutputTensor } from '@transept/generate';
import type { EncoderModel, Task } from '@transept/models';
import type { Encoding, Tokenizer } from '@transept/tokenizer';
import { batches } from '../batches.ts';
import type { TextModel } from '../load.ts';

export interface TaskOptions {
  /** Texts that go through the model together. Default: 16. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called when texts are done, with how many of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What there is to work with, if the model can do the task at all. */
export interface TaskModel {
  readonly encoder: EncoderModel;
  readonly tokenizer: Tokenizer;
  /** Most tokens of a text, special ones counted. */
  readonly maxTokens: number;
}

/** Throws an InputError that says what the model is, and what `task` needs. */
export function taskModel({ loaded, tokenizer, name }: TextModel, task: string, heads: readonly Task[]): TaskModel {
  const { model } = loaded;
  if (model.kind !== 'encoder' || !heads.includes(model.task))
    throw new InputError(
      `${task}: ${name} is a "${model.modelType}"${'task' in model ? ` for ${model.task}` : ''}; take one for ${heads.join(' or ')}`,
    );
  if (!tokenizer) throw new InputError(`${task}: ${name} has no tokenizer.json; give ids to forward instead`);
  return { encoder: model, tokenizer, maxTokens: model.maxPositions };
}

/** The outputs of the head for each encoding, without those of padding. */
export async function headOutputs(
  model: TextModel,
  { encoder }: TaskModel,
  encodings: readonly Encoding[],
  { batchSize, signal, onProgress }: TaskOptions,
): Promise<Record<string, OutputTensor>[]> {
  const lengths = encodings.map((encoding) => encoding.length);
  const results = new Array<Record<string, OutputTensor>>(encodings.length);
  const padding = Number(model.loaded.config['pad_token_id'] ?? 0);
  let done = 0;
  for (const group of batches(lengths, batchSize)) {
    const length = lengthOf(lengths[group.at(-1)!]!, encoder.maxPositions);
    const rows = (values: (encoding: Encoding) => readonly number[], filler: number): number[][] =>
      group.map((i) => {
        const row = values(encodings[i]!);
        return [...row, ...new Array<number>(length - row.length).fill(filler)];
      });
    const inputs = {
      inputIds: rows(({ ids }) => ids, padding),
      attentionMask: rows(({ attentionMask }) => attentionMask, 0),
      ...(encoder.tokenTypes > 1 && { tokenTypeIds: rows(({ typeIds }) => typeIds, 0) }),
    };
    const outputs = await surviving(model.loaded, model.recover, (loaded) =>
      forward(loaded, inputs, signal && { signal }),
    );
    // Of whole texts there is no axis of tokens, though there may be as many classes as tokens.
    const padded = encoder.task === 'sequenceClassification' ? undefined : length;
    group.forEach((i, row) => (results[i] = rowOf(outputs, row, padded, lengths[i]!)));
    onProgress?.((done += group.length), encodings.length);
  }
  return results;
}

/** Lengths in few steps, so that few programs serve all. */
const lengthOf = (longest: number, most: number): number =>
  Math.min(most, Math.max(8, 2 ** Math.ceil(Math.log2(Math.max(1, longest)))));

/** One row of outputs [B, …]; of those with an axis of tokens, which is `length` long, the first `tokens`. */
function rowOf(
  outputs: Readonly<Record<string, OutputTensor>>,
  row: number,
  length: number | undefined,
  tokens: number,
): Record<string, OutputTensor> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { shape, data }]) => {
      const [, ...rest] = shape;
      const size = rest.reduce((a, b) => a * b, 1);
      const perToken = length !== undefined && rest[0] === length ? size / length : undefined;
      const count = perToken === undefined ? size : tokens * perToken;
      const kept = perToken === undefined ? rest : [tokens, ...rest.slice(1)];
      return [name, { shape: kept, data: data.slice(row * size, row * size + count) }];
    }),
  );
}

/** Probabilities of logits. */
export function probabilities(logits: ArrayLike<number>): Float64Array {
  const scores = Float64Array.from(logits);
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i] = Math.exp(scores[i]! - most);
  return scores.map((x) => x / sum);
}
