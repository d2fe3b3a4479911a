// Marian (Junczys-Dowmunt et al., 2018), the encoder-decoder of "Attention Is All You Need" (arXiv:1706.03762): each sublayer
// is followed by add & norm, positions are sinusoidal, and one matrix embeds the source, the target and the output.
// Names and details as in MarianMTModel of transformers.
import {
  crossAttention,
  crossKeyValue,
  embedding,
  feedForward,
  layerNorm,
  linear,
  linearWeights,
  mergedLinearWeights,
  positionRows,
  selfAttention,
  sinusoidalPositions,
  weights,
} from '@transept/layers';
import type { Heads, Weights } from '@transept/layers';
import { add, reshape, slice } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';
import { sourceIds } from '../family.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';
import { marianConfig } from './config.ts';
import type { MarianConfig, Stack } from './config.ts';

export const marian: Family = {
  modelType: 'marian',
  create: (config) => marianModel(marianConfig(config)),
};

const eps = 1e-5;

function marianModel(config: MarianConfig): EncoderDecoderModel {
  const { width, encoder, decoder, vocabSize, decoderVocabSize, maxPositions } = config;
  const heads = (stack: Stack): Heads => ({ heads: stack.heads, keyValueHeads: stack.heads, headSize: width / stack.heads });
  const layer = (w: Weights, stack: 'encoder' | 'decoder', i: number): Weights => w.at(`model.${stack}.layers.${i}`);

  /** add & norm: the residual stream goes through the norm. */
  const addNorm = (w: Weights, name: string, x: Tensor, sublayer: Tensor): Tensor =>
    w.graph.scope(name, () => layerNorm(add(x, sublayer), w.at(name), { eps }));

  const feed = (w: Weights, stack: Stack, x: Tensor): Tensor =>
    w.graph.scope('feed_forward', () =>
      addNorm(w, 'final_layer_norm', x, feedForward(x, {
        up: linearWeights(w, 'fc1', width, stack.hidden),
        down: linearWeights(w, 'fc2', stack.hidden, width),
        activation: config.activation,
      })),
    );

  const selfAttentionWeights = (w: Weights, stack: Stack) => ({
    ...heads(stack),
    qkv: mergedLinearWeights(w, ['q_proj', 'k_proj', 'v_proj'], width, [width, width, width]),
    out: linearWeights(w, 'out_proj', width, width),
  });

  const table = (w: Weights, stack: 'encoder' | 'decoder'): Tensor => {
    if (config.sharedEmbeddings) return w.get('model.shared.weight', [vocabSize, width]);
    return w.get(`model.${stack}.embed_tokens.weight`, [stack === 'encoder' ? vocabSize : decoderVocabSize, width]);
  };

  const embed = (w: Weights, stack: 'encoder' | 'decoder', ids: Tensor, start: number | ScalarRef = 0): Tensor =>
    w.graph.scope('embeddings', () => {
      const positions = sinusoidalPositions(w.graph, 'positions', { positions: maxPositions, width, layout: 'halves' });
      return embedding(ids, table(w, stack), {
        scale: config.scaleEmbedding ? Math.sqrt(width) : 1,
        positions: positionRows(positions, start, ids.shape[1]!),
      });
    });

  return {
    kind: 'encoder-decoder',
    modelType: 'marian',
    vocabSize: decoderVocabSize,
    sourceVocabSize: vocabSize,
    maxPositions,
    maxSourcePositions: maxPositions,
    encoderLayers: encoder.layers,
    decoderLayers: decoder.layers,
    width,
    cacheShape: (rows, positions) => [rows, positions, 2 * width],

    encode: (g, inputs, taps) =>
      g.scope('encoder', () => {
        const { ids, mask } = sourceIds(inputs);
        const root = weights(g);
        let x = embed(root, 'encoder', ids); // [B, S, C]
        taps?.hiddenState?.('encoder', x);
        for (let i = 0; i < encoder.layers; i++)
          g.scope(`layers.${i}`, () => {
            const w = layer(root, 'encoder', i);
            const onWeights = taps?.attention && ((a: Tensor) => taps.attention!('encoder', a));
            const attended = g.scope('self_attn', () =>
              selfAttention(x, selfAttentionWeights(w.at('self_attn'), encoder), { causal: false, mask, onWeights }),
            );
            x = addNorm(w, 'self_attn_layer_norm', x, attended);
            x = feed(w, encoder, x);
            taps?.hiddenState?.('encoder', x);
          });
        return x;
      }),

    crossKeyValues: (g, encoded) =>
      Array.from({ length: decoder.layers }, (_, i) =>
        g.scope(`decoder.layers.${i}.encoder_attn`, () =>
          crossKeyValue(encoded, mergedLinearWeights(layer(weights(g), 'decoder', i).at('encoder_attn'), ['k_proj', 'v_proj'], width, [width, width])),
        ),
      ),

    decode: (g, { ids, mask, start, caches, lastOnly }, cross, taps) =>
      g.scope('decoder', () => {
        const root = weights(g);
        let x = embed(root, 'decoder', ids, start); // [B, T, C]
        taps?.hiddenState?.('decoder', x);
        for (let i = 0; i < decoder.layers; i++)
          g.scope(`layers.${i}`, () => {
            const w = layer(root, 'decoder', i);
            const attended = g.scope('self_attn', () =>
              selfAttention(x, selfAttentionWeights(w.at('self_attn'), decoder), {
                causal: true,
                ...(mask && { mask }),
                ...(start !== undefined && { start }),
                ...(caches && { cache: caches[i]! }),
                onWeights: taps?.attention && ((a) => taps.attention!('decoder', a)),
              }),
            );
            x = addNorm(w, 'self_attn_layer_norm', x, attended);
            const crossed = g.scope('encoder_attn', () =>
              crossAttention(x, cross.keyValues[i]!, crossAttentionWeights(w.at('encoder_attn')), {
                ...(cross.mask && { mask: cross.mask }),
                onWeights: taps?.attention && ((a) => taps.attention!('cross', a)),
              }),
            );
            x = addNorm(w, 'encoder_attn_layer_norm', x, crossed);
            x = feed(w, decoder, x);
            taps?.hiddenState?.('decoder', x);
          });
        return g.scope('logits', () => logits(root, lastOnly ? slice(x, 1, -1) : x));
      }),
  };

  function crossAttentionWeights(w: Weights) {
    return { ...heads(decoder), query: linearWeights(w, 'q_proj', width, width), out: linearWeights(w, 'out_proj', width, width) };
  }

  function logits(w: Weights, x: Tensor): Tensor {
    const weight = config.tiedOutput ? table(w, 'decoder') : w.get('lm_head.weight', [decoderVocabSize, width]);
    return linear(x, { weight, bias: reshape(w.get('final_logits_bias', [1, decoderVocabSize]), [decoderVocabSize]) });
  }
}
