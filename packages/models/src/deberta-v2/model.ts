// DeBERTa v2 and v3 (He et al., arXiv:2006.03654, arXiv:2111.09543): BERT with disentangled attention over relative positions, and
// perhaps a convolution beside the first block. Names and details as in DebertaV2Model of transformers.
import {
  convolution,
  embedding,
  feedForward,
  layerNorm,
  linear,
  linearWeights,
  positionRows,
  postNormBlock,
  weights,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { activation, add, cast, expandDims, gather, mul, slice } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { dense } from '../bert/encoder.ts';
import type { ConfigReader } from '../config.ts';
import type { EncoderModel, Family, TextInputs } from '../family.ts';
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
import { disentangledAttention, positionRowsOf } from './attention.ts';
import type { RelativePositions } from './attention.ts';
import { debertaConfig } from './config.ts';
import type { DebertaConfig } from './config.ts';

export const debertaV2: Family = {
  modelType: 'deberta-v2',
  create: (reader) => debertaModel(reader, debertaConfig(reader)),
};

function debertaModel(reader: ConfigReader, config: DebertaConfig): EncoderModel {
  const { width, hidden, eps } = config;
  const { head, bare } = headOf(reader, 'DebertaV2', heads(reader, config));

  /** What a convolution over neighbours adds to the first block. */
  const convolved = (w: Weights, x: Tensor, after: Tensor, real: Tensor): Tensor => {
    const { size, groups, activation: fn } = config.convolution!;
    const out = convolution(x, w.at('conv'), { width, size, groups, padding: (size - 1) / 2 });
    const beside = activation(fn, mul(out, real));
    return mul(layerNorm(add(after, beside), w.at('LayerNorm'), { eps }), real);
  };

  return {
    kind: 'encoder',
    modelType: 'deberta-v2',
    vocabSize: config.vocabSize,
    maxPositions: config.maxPositions,
    positionIds: config.absolutePositions ? config.maxPositions : 0,
    width,
    tokenTypes: config.tokenTypes,
    alternatives: encoderNames('deberta', [['cls.predictions.bias', 'cls.predictions.decoder.bias']]),
    encode: (g, inputs, taps) => {
      const w = weights(g, bare ? '' : 'deberta');
      const { mask } = inputs;
      const real = expandDims(cast(mask, 'f32'), 2); // [B, T, 1]
      const embedded = g.scope('embeddings', () => mul(embed(w.at('embeddings'), config, inputs), real));
      const encoder = w.at('encoder');
      const positions = g.scope('positions', () => relativePositions(encoder, config, inputs.ids));
      return encoderLayers(g, embedded, config.layers, taps, (x, i, onWeights) => {
        const at = encoder.at(`layer.${i}`);
        const out = postNormBlock(x, {
          attend: (h) =>
            disentangledAttention(h, at.at('attention'), config, {
              mask,
              ...(positions && { positions }),
              ...(onWeights && { onWeights }),
            }),
          attentionNorm: (h) => layerNorm(h, at.at('attention.output.LayerNorm'), { eps }),
          feed: (h) =>
            feedForward(h, {
              up: linearWeights(at, 'intermediate.dense', width, hidden),
              down: linearWeights(at, 'output.dense', hidden, width),
              activation: config.activation,
            }),
          feedNorm: (h) => layerNorm(h, at.at('output.LayerNorm'), { eps }),
        });
        return config.convolution && i === 0 ? convolved(encoder.at('conv'), x, out, real) : out;
      });
    },
    ...headMembers(head),
  };
}

/** → [B, T, C] */
function embed(w: Weights, config: DebertaConfig, { ids, tokenTypes, positions }: TextInputs): Tensor {
  const { width, embeddingWidth, maxPositions } = config;
  let x = embedding(ids, w.get('word_embeddings.weight', [config.vocabSize, embeddingWidth]));
  if (config.absolutePositions) {
    const table = w.get('position_embeddings.weight', [maxPositions, embeddingWidth]);
    x = add(x, positions ? gather(table, positions) : positionRows(table, 0, ids.shape[1]!));
  }
  if (config.tokenTypes > 0) {
    const types = w.get('token_type_embeddings.weight', [config.tokenTypes, embeddingWidth]);
    x = add(x, tokenTypes ? gather(types, tokenTypes) : slice(types, 0, 0, 1));
  }
  if (embeddingWidth !== width) x = linear(x, linearWeights(w, 'embed_proj', embeddingWidth, width, false));
  return layerNorm(x, w.at('LayerNorm'), { eps: config.eps });
}

function relativePositions(w: Weights, config: DebertaConfig, ids: Tensor): RelativePositions | undefined {
  const { relative, width, eps } = config;
  if (!relative) return undefined;
  const stored = w.get('rel_embeddings.weight', [2 * relative.span, width]);
  return {
    vectors: relative.normed ? layerNorm(stored, w.at('LayerNorm'), { eps }) : stored,
    rows: positionRowsOf(stored, ids.shape[1]!, relative, config.maxPositions),
  };
}

function heads(reader: ConfigReader, config: DebertaConfig): HeadMakers {
  const { width, vocabSize, eps, embeddingWidth } = config;
  if (config.poolerWidth !== width)
    reader.fail('pooler_hidden_size', `${config.poolerWidth} differs from hidden_size ${width}`, `${width}`);
  const table = (w: Weights): Tensor => w.get('deberta.embeddings.word_embeddings.weight', [vocabSize, embeddingWidth]);
  const predictions = (w: Weights, hidden: Tensor): Tensor => {
    const [at, name] = config.legacy ? [w.at('cls.predictions'), 'transform.'] : [w.at('lm_predictions.lm_head'), ''];
    const transformed = dense(hidden, at, `${name}dense`, config.activation, embeddingWidth);
    const x = layerNorm(transformed, at.at(`${name}LayerNorm`), { eps });
    const tied = config.tiedOutput || !config.legacy ? table(w) : undefined;
    return vocabularyLogits(at, x, tied, { vocabSize, decoder: 'decoder', bias: 'bias' });
  };
  return {
    Model: () => features(),
    ForMaskedLM: () => maskedTokens(predictions),
    ForSequenceClassification: () =>
      sequenceClassification(reader.labels(), width, (w, hidden) =>
        dense(firstToken(hidden), w, 'pooler.dense', config.poolerActivation),
      ),
    ForTokenClassification: () => tokenClassification(reader.labels(), width),
    ForQuestionAnswering: () => questionAnswering(width),
  };
}
