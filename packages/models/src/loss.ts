// What a model's outputs are held against when it is trained, and the loss that comes of it: for each kind of model and head that of
// transformers.
import { meanBinaryCrossEntropy, meanCrossEntropy, meanSquaredError, routerImbalance } from '@transept/layers';
import { add, cast, maximum, mul, reshape, slice } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { EncoderModel, Model, Problem, VisionModel } from './family.ts';

/** What the outputs should have been, by the names of transformers. Labels that are no class, such as -100, do not count. */
export interface Targets {
  /**
   * i32 [B, T] of tokens, [B] of texts; f32 [B, labels] of texts that may have several labels, [B] or [B, labels] of numbers. Of a
   * decoder-only model they are its ids: what each is to foretell is the next one.
   */
  readonly labels?: Tensor;
  /** i32 [B]: 1 where the second text does not follow the first, or ALBERT's two are in the wrong order. Only for pretraining. */
  readonly pairLabels?: Tensor;
  /** i32 [B], the places of the answer's first and last token. */
  readonly startPositions?: Tensor;
  readonly endPositions?: Tensor;
  /** i32 [B, T]: tokens that are no padding. Only where replaced tokens are told, or experts are to share tokens out evenly. */
  readonly mask?: Tensor;
}

/**
 * outputs by name, as the model gives them → []. With `router_logits.I` among them, what routers add counts too. Throws a TypeError
 * where targets that the model needs are missing.
 */
export function lossOf(model: Model, outputs: Readonly<Record<string, Tensor>>, targets: Targets): Tensor {
  const output = (name: string): Tensor => needed(outputs[name], name, model);
  const target = (name: keyof Targets): Tensor => needed(targets[name], name, model);
  if (model.kind === 'decoder') {
    const tokens = meanCrossEntropy(slice(output('logits'), 1, 0, -1), slice(target('labels'), 1, 1));
    const routers = Object.entries(outputs).flatMap(([name, x]) => (name.startsWith('router_logits.') ? [x] : []));
    const { routing } = model;
    if (!routing || routers.length === 0) return tokens;
    const mask = targets.mask && { mask: reshape(targets.mask, [-1]) };
    return add(tokens, mul(routerImbalance(routers, { chosen: routing.chosen, ...mask }), routing.lossFactor));
  }
  if (model.kind === 'encoder-decoder') return meanCrossEntropy(output('logits'), target('labels'));
  switch (model.task) {
    case 'features':
      throw new TypeError(`loss: a "${model.modelType}" without a head has none; take one with a head`);
    case 'maskedTokens': {
      if (!targets.pairLabels) return meanCrossEntropy(output('logits'), target('labels'));
      const pairs = output('sop_logits' in outputs ? 'sop_logits' : 'seq_relationship_logits');
      return add(
        meanCrossEntropy(output('prediction_logits'), target('labels')),
        meanCrossEntropy(pairs, targets.pairLabels),
      );
    }
    case 'tokenClassification':
      return meanCrossEntropy(output('logits'), target('labels'));
    case 'replacedTokens':
      return meanBinaryCrossEntropy(output('logits'), cast(target('labels'), 'f32'), targets.mask);
    case 'sequenceClassification':
      return classificationLoss(model, output('logits'), target('labels'));
    case 'questionAnswering': {
      // What lies before the text counts as its first token, what lies behind does not count.
      const place = (name: 'start' | 'end'): Tensor =>
        meanCrossEntropy(output(`${name}_logits`), maximum(target(`${name}Positions`), 0));
      return mul(add(place('start'), place('end')), 0.5);
    }
    default:
      return model.task satisfies never;
  }
}

/** The kind of problem is that of config.json, or what number of classes and type of labels suggest. */
function classificationLoss(
  { problem, labels: names }: EncoderModel | VisionModel,
  logits: Tensor,
  labels: Tensor,
): Tensor {
  const guessed: Problem = names?.length === 1 ? 'regression' : labels.dtype === 'i32' ? 'singleLabel' : 'multiLabel';
  const kind = problem ?? guessed;
  switch (kind) {
    case 'regression':
      return meanSquaredError(logits, reshape(cast(labels, 'f32'), logits.shape));
    case 'singleLabel':
      return meanCrossEntropy(logits, reshape(labels, logits.shape.slice(0, -1)));
    case 'multiLabel':
      return meanBinaryCrossEntropy(logits, cast(labels, 'f32'));
    default:
      return kind satisfies never;
  }
}

function needed(value: Tensor | undefined, name: string, { modelType }: Model): Tensor {
  if (value) return value;
  throw new TypeError(`loss: ${name} is missing; the loss of this "${modelType}" needs it`);
}
