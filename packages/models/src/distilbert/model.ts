// DistilBERT (Sanh et al., arXiv:1910.01108): BERT with half of the layers, without types of tokens and without a pooler. Names and
// details as in DistilBertModel of transformers.
import {
  embedding,
  feedForward,
  layerNorm,
  linearWeights,
  mergedLinearWeights,
  positionRows,
  postNormBlock,
  selfAttention,
  weights,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, gather } from '@transept/tensor';
import type { Activation, Tensor } from '@transept/tensor';
import { headsOf } from '../bert/config.ts';
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

export const distilbert: Family = {
  modelType: 'distilbert',
  create: distilbertModel,
};

interface DistilbertConfig {
  readonly width: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly tiedOutput: boolean;
}

/** `sinusoidal_pos_embds` only says what the stored table of positions was filled with. */
function distilbertConfig(config: ConfigReader): DistilbertConfig {
  config.only('pruned_heads', {});
  const width = config.size('dim', 768);
  return {
    width,
    hidden: config.size('hidden_dim', 3072),
    layers: config.size('n_layers', 6),
    heads: headsOf(config, 'n_heads', width, 12),
    activation: config.activation('activation', 'gelu'),
    vocabSize: config.size('vocab_size', 30522),
    maxPositions: config.size('max_position_embeddings', 512),
    tiedOutput: config.flag('tie_word_embeddings', true),
  };
}

const eps = 1e-12;

function distilbertModel(reader: ConfigReader): EncoderModel {
  const config = distilbertConfig(reader);
  const { width, hidden, vocabSize, maxPositions } = config;
  const { head, bare } = headOf(reader, 'DistilBert', heads(reader, config));

  const attention = (w: Weights) => ({
    heads: config.heads,
    keyValueHeads: config.heads,
    headSize: width / config.heads,
    qkv: mergedLinearWeights(w, ['q_lin', 'k_lin', 'v_lin'], width, [width, width, width]),
    out: linearWeights(w, 'out_lin', width, width),
  });

  return {
    kind: 'encoder',
    modelType: 'distilbert',
    vocabSize,
    maxPositions,
    positionIds: maxPositions,
    width,
    tokenTypes: 0,
    alternatives: encoderNames('distilbert'),
    encode: (g, { ids, mask, positions }, taps) => {
      const w = weights(g, bare ? '' : 'distilbert');
      const embedded = g.scope('embeddings', () => {
        const table = w.get('embeddings.position_embeddings.weight', [maxPositions, width]);
        const at = positions ? gather(table, positions) : positionRows(table, 0, ids.shape[1]!);
        const x = add(embedding(ids, wordEmbeddings(w, config)), at);
        return layerNorm(x, w.at('embeddings.LayerNorm'), { eps });
      });
      return encoderLayers(g, embedded, config.layers, taps, (x, i, onWeights) => {
        const at = w.at(`transformer.layer.${i}`);
        return postNormBlock(x, {
          attend: (h) => selfAttention(h, attention(at.at('attention')), { causal: false, mask, onWeights }),
          attentionNorm: (h) => layerNorm(h, at.at('sa_layer_norm'), { eps }),
          feed: (h) =>
            feedForward(h, {
              up: linearWeights(at, 'ffn.lin1', width, hidden),
              down: linearWeights(at, 'ffn.lin2', hidden, width),
              activation: config.activation,
            }),
          feedNorm: (h) => layerNorm(h, at.at('output_layer_norm'), { eps }),
        });
      });
    },
    ...headMembers(head),
  };
}

const wordEmbeddings = (w: Weights, { vocabSize, width }: DistilbertConfig): Tensor =>
  w.get('embeddings.word_embeddings.weight', [vocabSize, width]);

function heads(reader: ConfigReader, config: DistilbertConfig): HeadMakers {
  const { width, vocabSize } = config;
  return {
    Model: () => features(),
    ForMaskedLM: () =>
      maskedTokens((w, hidden) => {
        const x = layerNorm(dense(hidden, w, 'vocab_transform', config.activation), w.at('vocab_layer_norm'), { eps });
        const tied = config.tiedOutput ? wordEmbeddings(w.at('distilbert'), config) : undefined;
        return vocabularyLogits(w, x, tied, { vocabSize, decoder: 'vocab_projector', bias: 'vocab_projector.bias' });
      }),
    ForSequenceClassification: () =>
      sequenceClassification(reader.labels(), width, (w, hidden) =>
        dense(firstToken(hidden), w, 'pre_classifier', 'relu'),
      ),
    ForTokenClassification: () => tokenClassification(reader.labels(), width),
    ForQuestionAnswering: () => questionAnswering(width),
  };
}
