// A decoder-only model that does not foretell tokens: an encoder whose tokens see only what comes before them, under the heads
// that GenericForSequenceClassification and its siblings are in transformers.
import { countedTokens, linear, linearWeights } from '@transept/layers';
import type { Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import type { DecoderModel, EncoderModel, TextInputs } from '../family.ts';
import { features, headMembers, lastWhere, problemOf, questionAnswering } from '../heads.ts';
import type { Head } from '../heads.ts';

/** What `architectures` may end in besides a language model's names, and the head that it means. */
const makers: Readonly<Record<string, (config: ConfigReader, width: number) => Head>> = {
  ForSequenceClassification: (config, width) => {
    const labels = config.labels();
    const pad = config.has('pad_token_id') ? config.id('pad_token_id') : undefined;
    return {
      task: 'sequenceClassification',
      labels,
      ...problemOf(config),
      outputs: (w, hidden, { ids, mask }) => {
        const last = pad === undefined ? lastWhere(hidden, mask, { not: 0 }) : lastWhere(hidden, ids, { not: pad });
        return { logits: linear(last, linearWeights(w, 'score', width, labels.length, false)) };
      },
    };
  },
  ForTokenClassification: (config, width) => {
    const labels = config.labels();
    const bias = config.flag('token_classification_bias', true);
    return {
      task: 'tokenClassification',
      labels,
      outputs: (w, hidden) => ({ logits: linear(hidden, linearWeights(w, 'score', width, labels.length, bias)) }),
    };
  },
  ForQuestionAnswering: (_, width) => questionAnswering(width),
};

/** The model under the head that a config.json names; undefined where that is a language model's. */
export function headedDecoder(config: ConfigReader, model: DecoderModel): EncoderModel | undefined {
  const [name] = config.has('architectures') ? config.list('architectures') : [];
  const suffix = Object.keys(makers).find((end) => String(name).endsWith(end));
  return suffix === undefined ? undefined : encoderOf(model, makers[suffix]!(config, model.width));
}

/** A decoder-only model by itself, for its hidden states. */
export const decoderStates = (model: DecoderModel): EncoderModel => encoderOf(model, features());

function encoderOf(model: DecoderModel, head: Head): EncoderModel {
  const { modelType, vocabSize, maxPositions, width } = model;
  return {
    kind: 'encoder',
    modelType,
    vocabSize,
    maxPositions,
    width,
    tokenTypes: 0,
    positionIds: Number.isFinite(maxPositions) ? maxPositions : mostPositions,
    alternatives: (name) => [
      ...(model.alternatives?.(name) ?? []),
      ...(name.startsWith('score.') ? [name.replace('score.', 'classifier.')] : []),
      // Some of the heads call the model so, whatever the language model calls it.
      name.replace(/^model\./, 'transformer.'),
    ],
    encode: (g, inputs, taps) => model.states(g, causal(inputs), taps),
    ...headMembers(head),
  };
}

/** Angles of positions come from tables. */
const mostPositions = 2 ** 22;

function causal({ ids, mask, positions }: TextInputs) {
  let counted: Tensor | undefined;
  return {
    ids,
    mask,
    ...(positions && { positions }),
    get keyPositions() {
      return (counted ??= countedTokens(mask));
    },
  };
}
