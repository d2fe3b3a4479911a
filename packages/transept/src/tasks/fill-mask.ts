// What stands in the gaps of a text.
import { InputError } from '@transept/generate';
import type { TextModel } from '../load.ts';
import { headOutputs, probabilities, taskModel } from './run.ts';
import type { TaskModel, TaskOptions } from './run.ts';

export interface Filling {
  readonly token: string;
  readonly id: number;
  /** Its probability. */
  readonly score: number;
}

export interface FillMaskOptions extends TaskOptions {
  /** How many of the best to give for each gap. Default: 5. */
  readonly top?: number;
}

const masks = ['[MASK]', '<mask>'];

/** For each gap of the text, the tokens that fit best. A gap is the mask token of the model, such as `[MASK]`. */
export async function fillMask(
  model: TextModel,
  text: string,
  { top = 5, ...options }: FillMaskOptions = {},
): Promise<Filling[][]> {
  const task = taskModel(model, 'fillMask', ['maskedTokens']);
  const mask = maskToken(task);
  const encoding = task.tokenizer.encode(text, { truncation: { maxLength: task.maxTokens }, padding: false });
  const gaps = encoding.ids.flatMap((id, t) => (id === mask.id ? [t] : []));
  if (gaps.length === 0)
    throw new InputError(`fillMask: the text has no gap; write ${mask.token} where a token is missing`);
  const [outputs] = await headOutputs(model, task, [encoding], options);
  const { data, shape } = (outputs!['logits'] ?? outputs!['prediction_logits'])!;
  const size = shape.at(-1)!;
  return gaps.map((t) => {
    const scores = probabilities(data.subarray(t * size, (t + 1) * size));
    return [...scores.keys()]
      .sort((a, b) => scores[b]! - scores[a]!)
      .slice(0, top)
      .map((id): Filling => ({ token: task.tokenizer.decode([id]).trim(), id, score: scores[id]! }));
  });
}

function maskToken({ tokenizer }: TaskModel): { token: string; id: number } {
  for (const token of masks) {
    const id = tokenizer.tokenToId(token);
    if (id !== undefined) return { token, id };
  }
  throw new InputError(`fillMask: the tokenizer has none of ${masks.join(', ')}; the model was not made to fill gaps`);
}
