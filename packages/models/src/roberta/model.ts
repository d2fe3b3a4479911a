// RoBERTa (Liu et al., arXiv:1907.11692) and XLM-R (Conneau et al., arXiv:1911.02116): BERT's encoder with positions that count real
// tokens only, and other heads. Names and details as in RobertaModel of transformers.
import { layerNorm, tokenPositions, weights } from '@transept/layers';
import type { Weights } from '@transept/layers';
import type { Tensor } from '@transept/tensor';
import { bertConfig } from '../bert/config.ts';
import type { BertConfig } from '../bert/config.ts';
import { bertEncoder, dense, wordEmbeddings } from '../bert/encoder.ts';
import type { ConfigReader } from '../config.ts';
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

export const roberta: Family = {
  modelType: 'roberta',
  create: (reader) => robertaModel(reader, 'roberta', 'Roberta'),
};

export const xlmRoberta: Family = {
  modelType: 'xlm-roberta',
  create: (reader) => robertaModel(reader, 'xlm-roberta', 'XLMRoberta'),
};

function robertaModel(reader: ConfigReader, modelType: string, family: string): EncoderModel {
  const config = {
    ...bertConfig(reader),
    vocabSize: reader.size('vocab_size', 50265),
    pad: reader.id('pad_token_id', 1),
  };
  const { vocabSize, width, tokenTypes, pad } = config;
  const { head, bare } = headOf(reader, family, heads(reader, config));
  return {
    kind: 'encoder',
    modelType,
    vocabSize,
    // Positions begin after that of padding.
    maxPositions: config.maxPositions - pad - 1,
    positionIds: config.maxPositions,
    width,
    tokenTypes,
    alternatives: encoderNames('roberta', [['lm_head.bias', 'lm_head.decoder.bias']]),
    encode: (g, inputs, taps) =>
      bertEncoder(weights(g, bare ? '' : 'roberta'), config, inputs, taps, {
        positionsOf: (ids) => tokenPositions(ids, pad),
      }),
    ...headMembers(head),
  };
}

function heads(reader: ConfigReader, config: BertConfig): HeadMakers {
  const { width, vocabSize } = config;
  return {
    Model: () => features((w, hidden) => dense(firstToken(hidden), w, 'pooler.dense', 'tanh')),
    ForMaskedLM: () =>
      maskedTokens((w, hidden) => {
        const tied = config.tiedOutput ? wordEmbeddings(w.at('roberta'), config) : undefined;
        return languageModelHead(w, hidden, { tied, vocabSize, eps: config.eps });
      }),
    ForSequenceClassification: () => classificationHead(reader.labels(), width),
    ForTokenClassification: () => tokenClassification(reader.labels(), width),
    ForQuestionAnswering: () => questionAnswering(width),
  };
}

/** The masked language model's head under `lm_head`, which MPNet has too. */
export function languageModelHead(
  w: Weights,
  hidden: Tensor,
  { tied, vocabSize, eps }: { tied: Tensor | undefined; vocabSize: number; eps: number },
): Tensor {
  const at = w.at('lm_head');
  const x = layerNorm(dense(hidden, at, 'dense', 'gelu'), at.at('layer_norm'), { eps });
  return vocabularyLogits(at, x, tied, { vocabSize, decoder: 'decoder', bias: 'bias' });
}

/** A classifier with a layer of its own over the first token, which MPNet has too. */
export const classificationHead = (labels: readonly string[], width: number) =>
  sequenceClassification(
    labels,
    width,
    (w, hidden) => dense(firstToken(hidden), w, 'classifier.dense', 'tanh'),
    'classifier.out_proj',
  );
