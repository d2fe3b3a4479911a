// The pre-norm encoder-decoder of OpenNMT-tf, with the names that CTranslate2 gives its weights: each sublayer reads a normed
// copy of the residual stream, and a last norm closes each stack. Positions start at 1; keys and values are stored merged.
import {
  crossAttention,
  embedding,
  feedForward,
  layerNorm,
  linear,
  linearWeights,
  positionRows,
  selfAttention,
  sinusoidalPositions,
  weights,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, slice } from '@transept/tensor';
import type { Activation, ScalarRef, Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { sourceIds } from '../family.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';

export const opennmt: Family = {
  modelType: 'opennmt',
  create: (config) => opennmtModel(opennmtConfig(config)),
};

interface OpenNmtConfig {
  readonly width: number;
  readonly hidden: number;
  readonly heads: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly activation: Activation;
  readonly eps: number;
  readonly sourceVocabSize: number;
  readonly targetVocabSize: number;
  readonly maxPositions: number;
}

function opennmtConfig(config: ConfigReader): OpenNmtConfig {
  return {
    width: config.size('d_model'),
    hidden: config.size('d_ff'),
    heads: config.size('num_heads'),
    encoderLayers: config.size('encoder_layers'),
    decoderLayers: config.size('decoder_layers'),
    activation: config.activation('activation', 'relu'),
    eps: config.number('layer_norm_eps', 1e-5),
    // The lists leave out the unknown token, which has the last row.
    sourceVocabSize: config.list('source_vocab').length + 1,
    targetVocabSize: config.list('target_vocab').length + 1,
    maxPositions: config.size('max_position_embeddings', 512),
  };
}

function opennmtModel(config: OpenNmtConfig): EncoderDecoderModel {
  const { width, hidden, eps, sourceVocabSize, targetVocabSize } = config;
  const heads = { heads: config.heads, keyValueHeads: config.heads, headSize: width / config.heads };

  const norm = (w: Weights, x: Tensor): Tensor =>
    layerNorm(x, w.at('layer_norm'), { eps, scale: 'gamma', shift: 'beta' });

  const feed = (w: Weights, x: Tensor): Tensor =>
    add(
      x,
      feedForward(norm(w, x), {
        up: linearWeights(w, 'linear_0', width, hidden),
        down: linearWeights(w, 'linear_1', hidden, width),
        activation: config.activation,
      }),
    );

  const selfLayer = (w: Weights) => ({
    ...heads,
    qkv: linearWeights(w, 'linear_0', width, 3 * width),
    out: linearWeights(w, 'linear_1', width, width),
  });

  const embed = (w: Weights, vocabSize: number, ids: Tensor, start: number | ScalarRef = 0): Tensor =>
    embedding(ids, w.get('embeddings.weight', [vocabSize, width]), {
      scale: Math.sqrt(width),
      positions: positionRows(
        sinusoidalPositions(w.graph, 'positions', {
          positions: config.maxPositions,
          width,
          layout: 'halves',
          divisor: width / 2 - 1,
          first: 1,
        }),
        start,
        ids.shape[1]!,
      ),
    });

  return {
    kind: 'encoder-decoder',
    modelType: 'opennmt',
    vocabSize: targetVocabSize,
    sourceVocabSize,
    maxPositions: config.maxPositions,
    maxSourcePositions: config.maxPositions,
    encoderLayers: config.encoderLayers,
    decoderLayers: config.decoderLayers,
    width,
    cacheShape: (rows, positions) => [rows, positions, 2 * width],

    encode: (g, inputs, taps) =>
      g.scope('encoder', () => {
        const { ids, mask } = sourceIds(inputs);
        const w = weights(g, 'encoder');
        let x = embed(w, sourceVocabSize, ids); // [B, S, C]
        taps?.hiddenState?.('encoder', x);
        for (let i = 0; i < config.encoderLayers; i++)
          g.scope(`layer_${i}`, () => {
            const at = w.at(`layer_${i}`);
            const self = at.at('self_attention');
            const onWeights = taps?.attention && ((a: Tensor) => taps.attention!('encoder', a));
            x = add(x, selfAttention(norm(self, x), selfLayer(self), { causal: false, mask, onWeights }));
            x = feed(at.at('ffn'), x);
            if (i < config.encoderLayers - 1) taps?.hiddenState?.('encoder', x);
          });
        const encoded = norm(w, x);
        taps?.hiddenState?.('encoder', encoded);
        return encoded;
      }),

    crossKeyValues: (g, encoded) =>
      Array.from({ length: config.decoderLayers }, (_, i) =>
        g.scope(`decoder.layer_${i}`, () =>
          linear(encoded, linearWeights(weights(g, `decoder.layer_${i}.attention`), 'linear_1', width, 2 * width)),
        ),
      ),

    decode: (g, { ids, mask, start, caches, lastOnly }, cross, taps) =>
      g.scope('decoder', () => {
        const w = weights(g, 'decoder');
        let x = embed(w, targetVocabSize, ids, start); // [B, T, C]
        taps?.hiddenState?.('decoder', x);
        for (let i = 0; i < config.decoderLayers; i++)
          g.scope(`layer_${i}`, () => {
            const at = w.at(`layer_${i}`);
            const self = at.at('self_attention');
            const attended = selfAttention(norm(self, x), selfLayer(self), {
              causal: true,
              ...(mask && { mask }),
              ...(start !== undefined && { start }),
              ...(caches && { cache: caches[i]! }),
              onWeights: taps?.attention && ((a) => taps.attention!('decoder', a)),
            });
            x = add(x, attended);
            const source = at.at('attention');
            const layer = {
              ...heads,
              query: linearWeights(source, 'linear_0', width, width),
              out: linearWeights(source, 'linear_2', width, width),
            };
            const crossed = crossAttention(norm(source, x), cross.keyValues[i]!, layer, {
              ...(cross.mask && { mask: cross.mask }),
              onWeights: taps?.attention && ((a) => taps.attention!('cross', a)),
            });
            x = add(x, crossed);
            x = feed(at.at('ffn'), x);
            if (i < config.decoderLayers - 1) taps?.hiddenState?.('decoder', x);
          });
        const decoded = norm(w, lastOnly ? slice(x, 1, -1) : x);
        taps?.hiddenState?.('decoder', decoded);
        return linear(decoded, linearWeights(w, 'projection', width, targetVocabSize));
      }),
  };
}
