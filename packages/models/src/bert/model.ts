// BERT (Devlin et al., arXiv:1810.04805): an encoder that sees both sides of every token, pretrained to fill in masked ones.
// Names and details as in BertModel of transformers and its heads.
import { layerNorm, linear, linearWeights, weights } from '@transept/layers';
import type { Weights } from '@transept/layers';
import type { Tensor } from '@transept/tensor';
import type { EncoderModel, Family } from '../family.ts';
import {
  encoderNames,
  features,
  firstToken,
  headMembers,
  headOf,
  maskedTokens,
  questionAnswering,
  sequenceClassification,
  tokenClassification,
  vocabularyLogits,
} from '../heads.ts';
import type { HeadMakers } from '../heads.ts';
import type { ConfigReader } from '../config.ts';
import { bertConfig } from './config.ts';
import type { BertConfig } from './config.ts';
import { bertEncoder, dense, wordEmbeddings } from './encoder.ts';

export const bert: Family = {
  modelType: 'bert',
  create: (reader) => bertModel(reader, bertConfig(reader)),
};

function bertModel(reader: ConfigReader, config: BertConfig): EncoderModel {
  const { head, bare } = headOf(reader, 'Bert', heads(reader, config));
  const prefix = bare ? '' : 'bert';
  return {
    kind: 'encoder',
    modelType: 'bert',
    vocabSize: config.vocabSize,
    maxPositions: config.maxPositions,
    width: config.width,
    tokenTypes: config.tokenTypes,
    positionIds: config.maxPositions,
    alternatives: encoderNames('bert', [['cls.predictions.bias', 'cls.predictions.decoder.bias']]),
    encode: (g, inputs, taps) => bertEncoder(weights(g, prefix), config, inputs, taps),
    ...headMembers(head),
  };
}

function heads(reader: ConfigReader, config: BertConfig): HeadMakers {
  const { width } = config;
  const pool = (w: Weights, hidden: Tensor): Tensor => dense(firstToken(hidden), w, 'pooler.dense', 'tanh');
  const poolInside = (w: Weights, hidden: Tensor): Tensor => pool(w.at('bert'), hidden);
  const predictions = (w: Weights, hidden: Tensor): Tensor => {
    const at = w.at('cls.predictions');
    const transformed = dense(hidden, at, 'transform.dense', config.activation);
    return vocabularyLogits(
      at,
      layerNorm(transformed, at.at('transform.LayerNorm'), { eps: config.eps }),
      config.tiedOutput ? wordEmbeddings(w.at('bert'), config) : undefined,
      { vocabSize: config.vocabSize, decoder: 'decoder', bias: 'bias' },
    );
  };
  const nextSentence = (w: Weights, hidden: Tensor): Tensor =>
    linear(poolInside(w, hidden), linearWeights(w, 'cls.seq_relationship', width, 2));
  return {
    // Files without the pooler say so: conversions to GGUF leave it out.
    Model: () => features(reader.flag('add_pooling_layer', true) ? pool : undefined),
    ForMaskedLM: () => maskedTokens(predictions),
    ForPreTraining: () => ({
      task: 'maskedTokens',
      outputs: (w, hidden) => ({
        prediction_logits: predictions(w, hidden),
        seq_relationship_logits: nextSentence(w, hidden),
      }),
    }),
    ForNextSentencePrediction: () => ({
      task: 'sequenceClassification',
      labels: ['IS_NEXT', 'NOT_NEXT'],
      outputs: (w, hidden) => ({ logits: nextSentence(w, hidden) }),
    }),
    ForSequenceClassification: () => sequenceClassification(reader.labels(), width, poolInside),
    ForTokenClassification: () => tokenClassification(reader.labels(), width),
    ForQuestionAnswering: () => questionAnswering(width),
  };
}
