// The encoder of BERT, which RoBERTa, XLM-R and ELECTRA keep: token, position and type vectors under one norm, then blocks with
// their norms after the residuals.
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
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { activation, add, gather, slice } from '@transept/tensor';
import type { Activation, Tensor } from '@transept/tensor';
import type { Taps, TextInputs } from '../family.ts';
import { encoderLayers } from '../stack.ts';
import type { BertConfig } from './config.ts';

export interface BertEncoderOptions {
  /** Width of the token vectors, where it is not that of the blocks; `embeddings_project` maps them. */
  readonly embeddingWidth?: number;
  /** Positions where none are given: i32 [B, T]. Default: 0, 1, 2, … */
  readonly positionsOf?: (ids: Tensor) => Tensor;
}

/** → [B, T, C]. `w` stands where `embeddings` and `encoder` are. */
export function bertEncoder(
  w: Weights,
  config: BertConfig,
  { ids, mask, tokenTypes, positions }: TextInputs,
  taps: Taps | undefined,
  { embeddingWidth = config.width, positionsOf }: BertEncoderOptions = {},
): Tensor {
  const { graph } = w;
  const embedded = graph.scope('embeddings', () => {
    const at = w.at('embeddings');
    const types = at.get('token_type_embeddings.weight', [config.tokenTypes, embeddingWidth]);
    const table = at.get('position_embeddings.weight', [config.maxPositions, embeddingWidth]);
    const where = positions ?? positionsOf?.(ids);
    let x = embedding(ids, wordEmbeddings(w, config, embeddingWidth));
    x = add(x, tokenTypes ? gather(types, tokenTypes) : slice(types, 0, 0, 1));
    x = add(x, where ? gather(table, where) : positionRows(table, 0, ids.shape[1]!));
    x = layerNorm(x, at.at('LayerNorm'), { eps: config.eps });
    return embeddingWidth === config.width
      ? x
      : linear(x, linearWeights(w, 'embeddings_project', embeddingWidth, config.width));
  });
  return encoderLayers(graph, embedded, config.layers, taps, (x, i, onWeights) => {
    const at = w.at(`encoder.layer.${i}`);
    const norm = (name: string) => (h: Tensor) => layerNorm(h, at.at(`${name}.LayerNorm`), { eps: config.eps });
    return postNormBlock(x, {
      attend: (h) =>
        graph.scope('attention', () =>
          selfAttention(h, bertAttention(at.at('attention'), config), { causal: false, mask, onWeights }),
        ),
      attentionNorm: norm('attention.output'),
      feed: (h) =>
        feedForward(h, {
          up: linearWeights(at, 'intermediate.dense', config.width, config.hidden),
          down: linearWeights(at, 'output.dense', config.hidden, config.width),
          activation: config.activation,
        }),
      feedNorm: norm('output'),
    });
  });
}

/** Token vectors [V, C], which a tied output uses again. */
export const wordEmbeddings = (w: Weights, { vocabSize, width }: BertConfig, embeddingWidth = width): Tensor =>
  w.at('embeddings').get('word_embeddings.weight', [vocabSize, embeddingWidth]);

function bertAttention(w: Weights, { width, heads }: BertConfig) {
  return {
    heads,
    keyValueHeads: heads,
    headSize: width / heads,
    qkv: mergedLinearWeights(w.at('self'), ['query', 'key', 'value'], width, [width, width, width]),
    out: linearWeights(w, 'output.dense', width, width),
  };
}

/** A dense layer with an activation, as in poolers and heads. */
export const dense = (x: Tensor, w: Weights, name: string, fn: Activation, outputs = x.shape.at(-1)!): Tensor =>
  activation(fn, linear(x, linearWeights(w, name, x.shape.at(-1)!, outputs)));
