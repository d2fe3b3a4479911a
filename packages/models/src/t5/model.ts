// T5 (Raffel et al., arXiv:1910.10683), its version 1.1, mT5 (Xue et al., arXiv:2010.11934) and UMT5 (Chung et al., arXiv:2304.09151):
// an encoder-decoder that knows positions only by biases on the scores, which it does not scale, with RMS norms before the sublayers
// and no biases in its maps. Names and details as in T5ForConditionalGeneration of transformers.
import {
  crossAttention,
  embedding,
  feedForward,
  gatedFeedForward,
  linear,
  linearWeights,
  mergedLinearWeights,
  relativeBias,
  rmsNorm,
  selfAttention,
  weights,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, mul, slice } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';
import { selfContext } from '../encoder-decoder/model.ts';
import { sourceIds } from '../family.ts';
import type { EncoderDecoderModel, Family } from '../family.ts';
import { encoderLayers } from '../stack.ts';
import { t5Config } from './config.ts';
import type { T5Config, T5Kind } from './config.ts';

const family = (modelType: T5Kind): Family => ({
  modelType,
  create: (reader) => t5Model(t5Config(reader, modelType), modelType),
});

export const t5 = family('t5');
export const mt5 = family('mt5');
export const umt5 = family('umt5');

type Stack = 'encoder' | 'decoder';

/** Scores are not divided by the root of the head size. */
const unscaled = { scale: 1 };

function t5Model(config: T5Config, modelType: string): EncoderDecoderModel {
  const { width, hidden, headSize, vocabSize, eps } = config;
  const inner = config.heads * headSize;
  const heads = { heads: config.heads, keyValueHeads: config.heads, headSize };

  const block = (w: Weights, stack: Stack, i: number): Weights => w.at(`${stack}.block.${i}.layer`);
  const embed = (w: Weights, ids: Tensor): Tensor => embedding(ids, w.get('shared.weight', [vocabSize, width]));

  /** x + run(norm(x)), with the norm and the weights of the sublayer at `w`. */
  const sublayer = (w: Weights, x: Tensor, run: (x: Tensor) => Tensor): Tensor =>
    add(x, run(rmsNorm(x, w.at('layer_norm'), { eps })));

  const selfLayer = (w: Weights) => ({
    ...heads,
    qkv: mergedLinearWeights(w, ['q', 'k', 'v'], width, [inner, inner, inner], false),
    out: linearWeights(w, 'o', inner, width, false),
  });
  const crossLayer = (w: Weights) => ({
    ...heads,
    query: linearWeights(w, 'q', width, inner, false),
    out: linearWeights(w, 'o', inner, width, false),
  });

  const feed =
    (w: Weights) =>
    (x: Tensor): Tensor => {
      const at = w.at('DenseReluDense');
      const down = linearWeights(at, 'wo', hidden, width, false);
      const { activation } = config;
      if (!config.gated) return feedForward(x, { up: linearWeights(at, 'wi', width, hidden, false), down, activation });
      return gatedFeedForward(x, {
        gateUp: mergedLinearWeights(at, ['wi_0', 'wi_1'], width, [hidden, hidden], false),
        down,
        activation,
      });
    };

  /** Position biases [H, T, S] of each layer of a stack. */
  const biases = (
    w: Weights,
    stack: Stack,
    sizes: { queries: number; keys: number; start?: number | ScalarRef },
  ): ((i: number) => Tensor) => {
    const of = (i: number): Tensor => {
      const table = block(w, stack, i).at('0.SelfAttention.relative_attention_bias');
      return relativeBias(table.get('weight', [config.buckets, config.heads]), {
        ...sizes,
        buckets: config.buckets,
        maxDistance: config.maxDistance,
        bidirectional: stack === 'encoder',
      });
    };
    if (config.biasPerLayer) return of;
    const shared = w.graph.scope('position_bias', () => of(0));
    return () => shared;
  };

  const states: NonNullable<EncoderDecoderModel['states']> = (g, inputs, cross, taps) =>
    g.scope('decoder', () => {
      const root = weights(g);
      const { ids, start = 0, caches } = inputs;
      const queries = ids.shape[1]!;
      const bias = biases(root, 'decoder', { queries, keys: caches?.[0]?.shape[1] ?? queries, start });
      let x = g.scope('embeddings', () => embed(root, ids)); // [B, T, C]
      taps?.hiddenState?.('decoder', x);
      for (let i = 0; i < config.decoderLayers; i++)
        g.scope(`block.${i}`, () => {
          const w = block(root, 'decoder', i);
          x = sublayer(w.at('0'), x, (h) =>
            selfAttention(h, selfLayer(w.at('0.SelfAttention')), {
              ...selfContext(inputs, i, taps),
              scoring: { ...unscaled, bias: bias(i) },
            }),
          );
          x = sublayer(w.at('1'), x, (h) =>
            crossAttention(h, cross.keyValues[i]!, crossLayer(w.at('1.EncDecAttention')), {
              scoring: unscaled,
              ...(cross.mask && { mask: cross.mask }),
              onWeights: taps?.attention && ((a) => taps.attention!('cross', a)),
            }),
          );
          x = sublayer(w.at('2'), x, feed(w.at('2')));
          if (i < config.decoderLayers - 1) taps?.hiddenState?.('decoder', x);
        });
      const last = rmsNorm(inputs.lastOnly ? slice(x, 1, -1) : x, root.at('decoder.final_layer_norm'), { eps });
      taps?.hiddenState?.('decoder', last);
      return last;
    });

  return {
    kind: 'encoder-decoder',
    modelType,
    vocabSize,
    sourceVocabSize: vocabSize,
    maxPositions: Infinity,
    maxSourcePositions: Infinity,
    encoderLayers: config.encoderLayers,
    decoderLayers: config.decoderLayers,
    width,
    cacheShape: (rows, positions) => [rows, positions, 2 * inner],
    alternatives: (name) =>
      name === 'lm_head.weight' || name === 'shared.weight' ? ['shared.weight', ...copies, 'lm_head.weight'] : [],

    encode: (g, inputs, taps) =>
      g.scope('encoder', () => {
        const { ids, mask } = sourceIds(inputs);
        const root = weights(g);
        const length = ids.shape[1]!;
        const bias = biases(root, 'encoder', { queries: length, keys: length });
        const embedded = g.scope('embeddings', () => embed(root, ids)); // [B, S, C]
        return encoderLayers(g, embedded, config.encoderLayers, taps, (x, i, onWeights) => {
          const w = block(root, 'encoder', i);
          const attended = sublayer(w.at('0'), x, (h) =>
            selfAttention(h, selfLayer(w.at('0.SelfAttention')), {
              causal: false,
              mask,
              scoring: { ...unscaled, bias: bias(i) },
              onWeights,
            }),
          );
          const out = sublayer(w.at('1'), attended, feed(w.at('1')));
          return i < config.encoderLayers - 1 ? out : rmsNorm(out, root.at('encoder.final_layer_norm'), { eps });
        });
      }),

    crossKeyValues: (g, encoded) =>
      Array.from({ length: config.decoderLayers }, (_, i) =>
        g.scope(`decoder.block.${i}`, () => {
          const at = block(weights(g), 'decoder', i).at('1.EncDecAttention');
          return linear(encoded, mergedLinearWeights(at, ['k', 'v'], width, [inner, inner], false));
        }),
      ),

    states,
    decode: (g, inputs, cross, taps) => {
      const last = states(g, inputs, cross, taps);
      return g.scope('decoder.logits', () => {
        const scaled = config.outputScale === 1 ? last : mul(last, config.outputScale);
        const weight = weights(g).get(config.tiedOutput ? 'shared.weight' : 'lm_head.weight', [vocabSize, width]);
        return linear(scaled, { weight });
      });
    },
  };
}

/** Where checkpoints may hold the token embeddings once more. */
const copies = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
