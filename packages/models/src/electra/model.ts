// ELECTRA (Clark et al., arXiv:2003.10555): BERT's encoder, perhaps over narrower token vectors, pretrained to tell replaced tokens
// from original ones. Names and details as in ElectraModel of transformers.
import { layerNorm, linear, linearWeights, weights } from '@transept/layers';
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
  scores,
  sequenceClassification,
  tokenClassification,
  vocabularyLogits,
} from '../heads.ts';
import type { HeadMakers } from '../heads.ts';

export const electra: Family = {
  modelType: 'electra',
  create: electraModel,
};

function electraModel(reader: ConfigReader): EncoderModel {
  const config = bertConfig(reader, { width: 256, hidden: 1024, heads: 4 });
  const embeddingWidth = reader.size('embedding_size', 128);
  const { vocabSize, maxPositions, width, tokenTypes } = config;
  const { head, bare } = headOf(reader, 'Electra', heads(reader, config, embeddingWidth));
  return {
    kind: 'encoder',
    modelType: 'electra',
    vocabSize,
    maxPositions,
    positionIds: maxPositions,
    width,
    tokenTypes,
    alternatives: encoderNames('electra'),
    encode: (g, inputs, taps) =>
      bertEncoder(weights(g, bare ? '' : 'electra'), config, inputs, taps, { embeddingWidth }),
    ...headMembers(head),
  };
}

function heads(reader: ConfigReader, config: BertConfig, embeddingWidth: number): HeadMakers {
  const { width, vocabSize, eps } = config;
  return {
    Model: () => features(),
    ForMaskedLM: () =>
      maskedTokens((w, hidden) => {
        const at = w.at('generator_predictions');
        const x = layerNorm(dense(hidden, at, 'dense', 'gelu', embeddingWidth), at.at('LayerNorm'), { eps });
        const tied = config.tiedOutput ? wordEmbeddings(w.at('electra'), config, embeddingWidth) : undefined;
        return vocabularyLogits(w, x, tied, {
          vocabSize,
          decoder: 'generator_lm_head',
          bias: 'generator_lm_head.bias',
        });
      }),
    ForPreTraining: () => ({
      task: 'replacedTokens',
      outputs: (w, hidden) => {
        const at = w.at('discriminator_predictions');
        const x = dense(hidden, at, 'dense', config.activation);
        return { logits: scores(linear(x, linearWeights(at, 'dense_prediction', width, 1))) };
      },
    }),
    ForSequenceClassification: () =>
      sequenceClassification(
        reader.labels(),
        width,
        (w, hidden) => dense(firstToken(hidden), w, 'classifier.dense', 'gelu'),
        'classifier.out_proj',
      ),
    ForTokenClassification: () => tokenClassification(reader.labels(), width),
    ForQuestionAnswering: () => questionAnswering(width),
  };
}
