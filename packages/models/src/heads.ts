// Heads of encoders: what `architectures` names becomes outputs from hidden states. Families differ in names and small layers;
// the outputs and their shapes are these.
import { linear, linearWeights, weights } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { expr, gather, max, pointwise, reshape, select } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { ConfigReader } from './config.ts';
import type { EncoderModel, Problem, Task, TextInputs } from './family.ts';

export interface Head {
  readonly task: Task;
  readonly labels?: readonly string[];
  readonly problem?: Problem;
  /** hidden [B, T, C] → outputs by name. `w` stands at the root of the checkpoint. */
  outputs(w: Weights, hidden: Tensor, inputs: TextInputs): Record<string, Tensor>;
}

/** Heads by what follows the family's name in `architectures`, such as `ForMaskedLM`; `Model` is the encoder by itself. */
export type HeadMakers = Readonly<Record<string, () => Head>>;

export interface NamedHead {
  readonly head: Head;
  /** Is it the encoder by itself, whose weights have no prefix? */
  readonly bare: boolean;
}

/** The head that a config.json names; the encoder by itself where it names none. */
export function headOf(config: ConfigReader, family: string, makers: HeadMakers): NamedHead {
  const [name = `${family}Model`] = config.has('architectures') ? config.list('architectures') : [];
  const suffix = String(name).startsWith(family) ? String(name).slice(family.length) : '';
  const maker = Object.hasOwn(makers, suffix) ? makers[suffix] : undefined;
  if (!maker) {
    const known = Object.keys(makers).map((s) => family + s);
    return config.fail('architectures', `"${String(name)}" is not supported`, `one of ${known.join(', ')}`);
  }
  return { head: { ...maker(), ...problemOf(config) }, bare: suffix === 'Model' };
}

const problems: Readonly<Record<string, Problem>> = {
  regression: 'regression',
  single_label_classification: 'singleLabel',
  multi_label_classification: 'multiLabel',
};

/** What a config.json says about the labels of a classifier. */
export function problemOf(config: ConfigReader): { readonly problem?: Problem } {
  if (!config.has('problem_type')) return {};
  const name = config.text('problem_type');
  const problem = Object.hasOwn(problems, name) ? problems[name] : undefined;
  return problem
    ? { problem }
    : config.fail('problem_type', `"${name}" is none`, `one of ${Object.keys(problems).join(', ')}`);
}

/** The members of an `EncoderModel` that come from its head. */
export const headMembers = (head: Head): Pick<EncoderModel, 'task' | 'labels' | 'problem' | 'outputs'> => ({
  task: head.task,
  ...(head.labels && { labels: head.labels }),
  ...(head.problem && { problem: head.problem }),
  outputs: (g, hidden, inputs) => g.scope('head', () => head.outputs(weights(g), hidden, inputs)),
});

/** The encoder by itself, perhaps with what pools its first token. */
export const features = (pool?: (w: Weights, hidden: Tensor) => Tensor): Head => ({
  task: 'features',
  outputs: (w, hidden) => ({ last_hidden_state: hidden, ...(pool && { pooler_output: pool(w, hidden) }) }),
});

/** Scores of the vocabulary at every position. */
export const maskedTokens = (logits: (w: Weights, hidden: Tensor) => Tensor): Head => ({
  task: 'maskedTokens',
  outputs: (w, hidden) => ({ logits: logits(w, hidden) }),
});

/** Scores of classes for a whole text, from what `pool` makes of its hidden states: [B, C]. */
export const sequenceClassification = (
  labels: readonly string[],
  width: number,
  pool: (w: Weights, hidden: Tensor, inputs: TextInputs) => Tensor,
  name = 'classifier',
): Head => ({
  task: 'sequenceClassification',
  labels,
  outputs: (w, hidden, inputs) => ({
    logits: linear(pool(w, hidden, inputs), linearWeights(w, name, width, labels.length)),
  }),
});

/** Scores of classes for every token. */
export const tokenClassification = (
  labels: readonly string[],
  width: number,
  prepare: (w: Weights, hidden: Tensor) => Tensor = (_, hidden) => hidden,
): Head => ({
  task: 'tokenClassification',
  labels,
  outputs: (w, hidden) => ({
    logits: linear(prepare(w, hidden), linearWeights(w, 'classifier', width, labels.length)),
  }),
});

/** Scores for being the first and the last token of the answer. */
export const questionAnswering = (
  width: number,
  prepare: (w: Weights, hidden: Tensor) => Tensor = (_, hidden) => hidden,
): Head => ({
  task: 'questionAnswering',
  outputs: (w, hidden) => {
    const both = linear(prepare(w, hidden), linearWeights(w, 'qa_outputs', width, 2)); // [B, T, 2]
    return { start_logits: select(both, -1, 0), end_logits: select(both, -1, 1) };
  },
});

/** The state of each row's last token whose mark, i32 [B, T], is or is not a number; the first where there is none: [B, T, C] → [B, C]. */
export function lastWhere(hidden: Tensor, marks: Tensor, { is, not }: { is?: number; not?: number }): Tensor {
  const { apply, constant, index, input } = expr;
  const [rows, length, width] = hidden.shape as readonly [number, number, number];
  const same = apply('equal', input(0), constant(is ?? not!, 'i32'));
  const [place, none] = [index(1), constant(0, 'i32')];
  const places = pointwise(is === undefined ? apply('select', same, none, place) : apply('select', same, place, none), [
    marks,
  ]);
  const row = apply('mul', index(0), constant(length, 'i32'));
  const last = pointwise(apply('add', row, input(0)), [max(places, { keepDims: false })]); // [B]
  return gather(reshape(hidden, [rows * length, width]), last);
}

/** The first token's state: [B, T, C] → [B, C]. */
export const firstToken = (hidden: Tensor): Tensor => select(hidden, 1, 0);

/** A linear map to the vocabulary, with the token embeddings [V, C] as its weight where they are tied. */
export function vocabularyLogits(w: Weights, x: Tensor, tied: Tensor | undefined, names: VocabularyNames): Tensor {
  const width = x.shape.at(-1)!;
  const { vocabSize } = names;
  const weight = tied ?? w.get(`${names.decoder}.weight`, [vocabSize, width]);
  const bias = w.get(tied ? names.bias : `${names.decoder}.bias`, [vocabSize]);
  return linear(x, { weight, bias });
}

interface VocabularyNames {
  readonly vocabSize: number;
  /** The map, stored where it is not tied. */
  readonly decoder: string;
  /** Its bias where it is tied. */
  readonly bias: string;
}

/** Without its axis of size one: [B, T, 1] → [B, T]. */
export const scores = (x: Tensor): Tensor => reshape(x, x.shape.slice(0, -1));

/**
 * Other names for the tensors of an encoder: with or without the prefix, for checkpoints of another architecture of the family,
 * norms spelled as in TensorFlow, and the bias of the vocabulary map under the names of its two places.
 */
export const encoderNames =
  (prefix: string, biases: readonly (readonly [string, string])[] = []) =>
  (name: string): readonly string[] => {
    const places = [name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : `${prefix}.${name}`];
    for (const pair of biases) if (pair.includes(name)) places.push(...pair.filter((other) => other !== name));
    const old = (n: string): string =>
      n.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
    return [...places, ...[name, ...places].map(old)];
  };
