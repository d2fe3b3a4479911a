// MPNet (Song et al., arXiv:2004.09297): BERT with relative position biases, shared by all layers, besides learned positions that
// count real tokens only. Names and details as in MPNetModel of transformers.
import {
  embedding,
  feedForward,
  layerNorm,
  linearWeights,
  mergedLinearWeights,
  postNormBlock,
  relativeBias,
  selfAttention,
  tokenPositions,
  weights,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { gather } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { bertConfig } from '../bert/config.ts';
import type { BertConfig } from '../bert/config.ts';
import { dense } from '../bert/encoder.ts';
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
  tokenClassification,
} from '../heads.ts';
import type { HeadMakers } from '../heads.ts';
import { classificationHead, languageModelHead } from '../roberta/model.ts';
import { encoderLayers } from '../stack.ts';

export const mpnet: Family = {
  modelType: 'mpnet',
  create: mpnetModel,
};

/** Whatever the config says: transformers has them in its code. */
const pad = 1;
const buckets = { buckets: 32, maxDistance: 128, bidirectional: true };

function mpnetModel(reader: ConfigReader): EncoderModel {
  const config = bertConfig(reader);
  const { width, hidden, vocabSize, eps } = { ...config, vocabSize: reader.size('vocab_size', 30527) };
  const rows = reader.size('relative_attention_num_buckets', 32);
  if (rows < buckets.buckets)
    reader.fail('relative_attention_num_buckets', `${rows} are too few`, `at least ${buckets.buckets}`);
  const { head, bare } = headOf(reader, 'MPNet', heads(reader, config, vocabSize));

  const attention = (w: Weights) => ({
    heads: config.heads,
    keyValueHeads: config.heads,
    headSize: width / config.heads,
    qkv: mergedLinearWeights(w, ['q', 'k', 'v'], width, [width, width, width]),
    out: linearWeights(w, 'o', width, width),
  });

  return {
    kind: 'encoder',
    modelType: 'mpnet',
    vocabSize,
    // Positions begin after that of padding.
    maxPositions: config.maxPositions - pad - 1,
    positionIds: config.maxPositions,
    width,
    tokenTypes: 0,
    alternatives: encoderNames('mpnet', [['lm_head.bias', 'lm_head.decoder.bias']]),
    encode: (g, { ids, mask, positions }, taps) => {
      const w = weights(g, bare ? '' : 'mpnet');
      const embedded = g.scope('embeddings', () => {
        const table = w.get('embeddings.position_embeddings.weight', [config.maxPositions, width]);
        const at = gather(table, positions ?? tokenPositions(ids, pad));
        const x = embedding(ids, wordEmbeddings(w, vocabSize, width), { positions: at });
        return layerNorm(x, w.at('embeddings.LayerNorm'), { eps });
      });
      const bias = g.scope('position_bias', () =>
        relativeBias(w.get('encoder.relative_attention_bias.weight', [rows, config.heads]), {
          queries: ids.shape[1]!,
          keys: ids.shape[1]!,
          ...buckets,
        }),
      );
      return encoderLayers(g, embedded, config.layers, taps, (x, i, onWeights) => {
        const at = w.at(`encoder.layer.${i}`);
        return postNormBlock(x, {
          attend: (h) =>
            selfAttention(h, attention(at.at('attention.attn')), { causal: false, mask, scoring: { bias }, onWeights }),
          attentionNorm: (h) => layerNorm(h, at.at('attention.LayerNorm'), { eps }),
          feed: (h) =>
            feedForward(h, {
              up: linearWeights(at, 'intermediate.dense', width, hidden),
              down: linearWeights(at, 'output.dense', hidden, width),
              activation: config.activation,
            }),
          feedNorm: (h) => layerNorm(h, at.at('output.LayerNorm'), { eps }),
        });
      });
    },
    ...headMembers(head),
  };
}

const wordEmbeddings = (w: Weights, vocabSize: number, width: number): Tensor =>
  w.get('embeddings.word_embeddings.weight', [vocabSize, width]);

function heads(reader: ConfigReader, { width, eps, tiedOutput }: BertConfig, vocabSize: number): HeadMakers {
  return {
    Model: () => features((w, hidden) => dense(firstToken(hidden), w, 'pooler.dense', 'tanh')),
    ForMaskedLM: () =>
      maskedTokens((w, hidden) => {
        const tied = tiedOutput ? wordEmbeddings(w.at('mpnet'), vocabSize, width) : undefined;
        return languageModelHead(w, hidden, { tied, vocabSize, eps });
      }),
    ForSequenceClassification: () => classificationHead(reader.labels(), width),
    ForTokenClassification: () => tokenClassification(reader.labels(), width),
    ForQuestionAnswering: () => questionAnswering(width),
  };
}
