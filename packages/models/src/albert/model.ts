// ALBERT (Lan et al., arXiv:1909.11942): BERT whose layers share their weights in groups, over narrower token vectors. Names and
// details as in AlbertModel of transformers.
import {
  embedding,
  feedForward,
  layerNorm,
  linear,
  linearWeights,
  mergedLinearWeights,
  positionRows,
  postNormBlock,
  selfAttention,
  weights,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, gather, slice } from '@transept/tensor';
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
  sequenceClassification,
  tokenClassification,
  vocabularyLogits,
} from '../heads.ts';
import type { HeadMakers } from '../heads.ts';
import { encoderLayers } from '../stack.ts';

export const albert: Family = {
  modelType: 'albert',
  create: albertModel,
};

interface AlbertConfig extends BertConfig {
  readonly embeddingWidth: number;
  /** Groups of layers, each with weights of its own. */
  readonly groups: number;
  /** Layers in a group. */
  readonly inner: number;
}

function albertConfig(reader: ConfigReader): AlbertConfig {
  return {
    ...bertConfig(reader, { width: 4096, hidden: 16384, heads: 64 }),
    activation: reader.activation('hidden_act', 'gelu_new'),
    vocabSize: reader.size('vocab_size', 30000),
    embeddingWidth: reader.size('embedding_size', 128),
    groups: reader.size('num_hidden_groups', 1),
    inner: reader.size('inner_group_num', 1),
  };
}

function albertModel(reader: ConfigReader): EncoderModel {
  const config = albertConfig(reader);
  const { width, hidden, layers, groups, inner, embeddingWidth, vocabSize, maxPositions, tokenTypes, eps } = config;
  const { head, bare } = headOf(reader, 'Albert', heads(reader, config));

  const attention = (w: Weights) => ({
    heads: config.heads,
    keyValueHeads: config.heads,
    headSize: width / config.heads,
    qkv: mergedLinearWeights(w, ['query', 'key', 'value'], width, [width, width, width]),
    out: linearWeights(w, 'dense', width, width),
  });

  return {
    kind: 'encoder',
    modelType: 'albert',
    vocabSize,
    maxPositions,
    positionIds: maxPositions,
    width,
    tokenTypes,
    alternatives: encoderNames('albert', [['predictions.bias', 'predictions.decoder.bias']]),
    encode: (g, { ids, mask, tokenTypes: given, positions }, taps) => {
      const w = weights(g, bare ? '' : 'albert');
      const embedded = g.scope('embeddings', () => {
        const at = w.at('embeddings');
        const types = at.get('token_type_embeddings.weight', [tokenTypes, embeddingWidth]);
        const table = at.get('position_embeddings.weight', [maxPositions, embeddingWidth]);
        let x = embedding(ids, wordEmbeddings(w, config));
        x = add(x, given ? gather(types, given) : slice(types, 0, 0, 1));
        x = add(x, positions ? gather(table, positions) : positionRows(table, 0, ids.shape[1]!));
        x = layerNorm(x, at.at('LayerNorm'), { eps });
        return linear(x, linearWeights(w, 'encoder.embedding_hidden_mapping_in', embeddingWidth, width));
      });
      return encoderLayers(g, embedded, layers * inner, taps, (x, i, onWeights) => {
        const group = Math.floor(Math.floor(i / inner) / (layers / groups));
        const at = w.at(`encoder.albert_layer_groups.${group}.albert_layers.${i % inner}`);
        return postNormBlock(x, {
          attend: (h) => selfAttention(h, attention(at.at('attention')), { causal: false, mask, onWeights }),
          attentionNorm: (h) => layerNorm(h, at.at('attention.LayerNorm'), { eps }),
          feed: (h) =>
            feedForward(h, {
              up: linearWeights(at, 'ffn', width, hidden),
              down: linearWeights(at, 'ffn_output', hidden, width),
              activation: config.activation,
            }),
          feedNorm: (h) => layerNorm(h, at.at('full_layer_layer_norm'), { eps }),
        });
      });
    },
    ...headMembers(head),
  };
}

const wordEmbeddings = (w: Weights, { vocabSize, embeddingWidth }: AlbertConfig): Tensor =>
  w.get('embeddings.word_embeddings.weight', [vocabSize, embeddingWidth]);

function heads(reader: ConfigReader, config: AlbertConfig): HeadMakers {
  const { width, vocabSize, eps } = config;
  const pool = (w: Weights, hidden: Tensor): Tensor => dense(firstToken(hidden), w, 'pooler', 'tanh');
  const poolInside = (w: Weights, hidden: Tensor): Tensor => pool(w.at('albert'), hidden);
  const predictions = (w: Weights, hidden: Tensor): Tensor => {
    const at = w.at('predictions');
    const x = dense(hidden, at, 'dense', config.activation, config.embeddingWidth);
    const tied = config.tiedOutput ? wordEmbeddings(w.at('albert'), config) : undefined;
    return vocabularyLogits(at, layerNorm(x, at.at('LayerNorm'), { eps }), tied, {
      vocabSize,
      decoder: 'decoder',
      bias: 'bias',
    });
  };
  return {
    Model: () => features(pool),
    ForMaskedLM: () => maskedTokens(predictions),
    ForPreTraining: () => ({
      task: 'maskedTokens',
      outputs: (w, hidden) => ({
        prediction_logits: predictions(w, hidden),
        sop_logits: linear(
          poolInside(w, hidden),
          linearWeights(w, 'sop_classifier.classifier', width, reader.labels().length),
        ),
      }),
    }),
    ForSequenceClassification: () => sequenceClassification(reader.labels(), width, poolInside),
    ForTokenClassification: () => tokenClassification(reader.labels(), width),
    ForQuestionAnswering: () => questionAnswering(width),
  };
}
