// An encoder-decoder that does not translate: its encoder alone, or a decoder that reads the source once more, one place later, under
// a head that classifies or finds answers. Names and details as in BartForSequenceClassification, T5EncoderModel of transformers and
// so on.
import { linear, linearWeights } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { activation, concat, expandDims, fill, slice } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import type { EncoderDecoderModel, EncoderModel, Taps, TextInputs } from '../family.ts';
import { features, headMembers, lastWhere, problemOf, questionAnswering, tokenClassification } from '../heads.ts';
import type { Head } from '../heads.ts';

interface Headed {
  readonly head: Head;
  /** Does the head read what the decoder makes of the source, or what the encoder does? */
  readonly decodes: boolean;
}

/** What `architectures` may end in besides a language model's names. */
const makers: Readonly<Record<string, (config: ConfigReader, width: number) => Headed>> = {
  EncoderModel: () => ({ head: features(), decodes: false }),
  ForTokenClassification: (config, width) => ({ head: tokenClassification(config.labels(), width), decodes: false }),
  ForSequenceClassification: (config, width) => ({ head: classification(config, width), decodes: true }),
  ForQuestionAnswering: (_, width) => ({ head: questionAnswering(width), decodes: true }),
};

/** The model under the head that a config.json names; undefined where that is a language model's. */
export function headedEncoderDecoder(config: ConfigReader, model: EncoderDecoderModel): EncoderModel | undefined {
  const [name] = config.has('architectures') ? config.list('architectures') : [];
  const suffix = Object.keys(makers).find((end) => String(name).endsWith(end));
  const { states, width } = model;
  if (suffix === undefined || !states) return undefined;
  const { head, decodes } = makers[suffix]!(config, width);
  const later = shift(config);
  return {
    kind: 'encoder',
    modelType: model.modelType,
    vocabSize: model.sourceVocabSize,
    maxPositions: Math.min(model.maxSourcePositions, decodes ? model.maxPositions : Infinity),
    width,
    tokenTypes: 0,
    positionIds: 0,
    twoStacks: decodes,
    alternatives: (name) => [...(model.alternatives?.(name) ?? []), `transformer.${name}`],
    encode(g: Graph, { ids, mask }: TextInputs, taps?: Taps) {
      const encoded = model.encode(g, { ids, mask }, taps);
      return decodes
        ? states(g, { ids: later(ids) }, { keyValues: model.crossKeyValues(g, encoded), mask }, taps)
        : encoded;
    },
    ...headMembers(head),
  };
}

/** Over the state at the last token that ends a text. */
function classification(config: ConfigReader, width: number): Head {
  const labels = config.labels();
  const end = config.id('eos_token_id');
  return {
    task: 'sequenceClassification',
    labels,
    ...problemOf(config),
    outputs: (w: Weights, hidden, { ids }) => {
      const at = w.at('classification_head');
      const dense = linear(lastWhere(hidden, ids, { is: end }), linearWeights(at, 'dense', width, width));
      return { logits: linear(activation('tanh', dense), linearWeights(at, 'out_proj', width, labels.length)) };
    },
  };
}

/** ids [B, T] one place later, as `decoderIdsFrom` has labels. */
function shift(config: ConfigReader): (ids: Tensor) => Tensor {
  const turns = config.text('model_type', '') === 'mbart';
  const first = (ids: Tensor): Tensor =>
    turns
      ? lastWhere(expandDims(ids, 2), ids, { not: config.id('pad_token_id') })
      : fill(ids, [ids.shape[0]!, 1], config.id('decoder_start_token_id'), 'i32'); // [B, 1]
  return (ids) => (ids.shape[1]! > 1 ? concat([first(ids), slice(ids, 1, 0, -1)], 1) : first(ids));
}
