// Classes of whole texts: topics, moods, whether one sentence follows from another.
import type { EncoderModel, Problem, VisionModel } from '@transept/models';
import type { TextModel } from '../load.ts';
import { headOutputs, probabilities, taskModel } from './run.ts';
import type { TaskOptions } from './run.ts';

export interface Label {
  readonly label: string;
  /** A probability; of a regression, the number itself. */
  readonly score: number;
}

/**
 * The classes of each text, or of each pair of texts, best first. Scores add up to one, but where config.json says that a text may
 * have several labels (`problem_type`) or there is only one, each stands for itself. Texts that are too long are cut.
 */
export async function classify(
  model: TextModel,
  texts: readonly (string | readonly [text: string, pair: string])[],
  options: TaskOptions = {},
): Promise<Label[][]> {
  const task = taskModel(model, 'classify', ['sequenceClassification']);
  const encodings = task.tokenizer.encodeBatch(texts, { truncation: { maxLength: task.maxTokens }, padding: false });
  const outputs = await headOutputs(model, task, encodings, options);
  return outputs.map(({ logits }) => rankedLabels(task.encoder, logits!.data));
}

/** What a classifier tells of logits, best first. */
export function rankedLabels({ labels = [], problem }: EncoderModel | VisionModel, logits: Float32Array): Label[] {
  const scores = scoring(problem, labels.length)(logits);
  return labels.map((label, i): Label => ({ label, score: scores[i]! })).sort((a, b) => b.score - a.score);
}

/** As the pipeline of transformers chooses. */
function scoring(problem: Problem | undefined, count: number): (logits: Float32Array) => ArrayLike<number> {
  if (problem === 'regression') return (logits) => logits;
  if (problem === 'multiLabel' || count === 1) return (logits) => logits.map((x) => 1 / (1 + Math.exp(-x)));
  return probabilities;
}
