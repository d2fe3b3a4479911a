// The encoder-decoder of "Attention Is All You Need" (arXiv:1706.03762) as fairseq and Marian left it to transformers: the families
// differ in where the norms stand and in what is embedded how; blocks, caches, names of weights and outputs are these.
import {
  crossAttention,
  crossKeyValue,
  feedForward,
  layerNorm,
  linearWeights,
  mergedLinearWeights,
  selfAttention,
  weights,
} from '@transept/layers';
import type { Heads, Weights } from '@transept/layers';
import { add, slice } from '@transept/tensor';
import type { Activation, ScalarRef, Tensor } from '@transept/tensor';
import type { DecoderInputs, EncoderDecoderModel, EncoderInputs, SourceFeatures, SourceIds, Taps } from '../family.ts';
import { sourceIds } from '../family.ts';
import { encoderLayers } from '../stack.ts';
import type { Stack } from './config.ts';

export const eps = 1e-5;

interface Common {
  readonly modelType: string;
  readonly width: number;
  readonly encoder: Stack;
  readonly decoder: Stack;
  readonly activation: Activation;
  /** Norms after the sublayers, or before them with one more, `layer_norm`, at the end of each stack. */
  readonly norms: 'after' | 'before';
  /** Do the maps of keys have a bias? Default: yes. */
  readonly keyBias?: boolean;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly maxSourcePositions: number;
  readonly alternatives?: (name: string) => readonly string[];
  /** Embedded target [B, T, C]. `w` stands at the root, as below. */
  embedTarget(w: Weights, ids: Tensor, start: number | ScalarRef): Tensor;
  /** x [B, T, C] → [B, T, V] */
  logits(w: Weights, x: Tensor): Tensor;
}

interface OfText extends Common {
  readonly sourceVocabSize: number;
  /** Embedded source [B, S, C]. */
  embedSource(w: Weights, source: SourceIds): Tensor;
}

interface OfFeatures extends Common {
  readonly sourceFeatures: readonly number[];
  embedFeatures(w: Weights, source: SourceFeatures): Tensor;
}

export type EncoderDecoderParts = OfText | OfFeatures;

/** A model from what its family is. */
export function encoderDecoderModel(parts: EncoderDecoderParts): EncoderDecoderModel {
  const { width, encoder, decoder, norms } = parts;
  const layer = (w: Weights, stack: 'encoder' | 'decoder', i: number): Weights => w.at(`model.${stack}.layers.${i}`);
  const norm = (w: Weights, name: string, x: Tensor): Tensor =>
    w.graph.scope(name, () => layerNorm(x, w.at(name), { eps }));

  const addNorm = (w: Weights, name: string, x: Tensor, ran: Tensor): Tensor =>
    w.graph.scope(name, () => layerNorm(add(x, ran), w.at(name), { eps }));

  /** A sublayer with its residual and its norm. */
  const sublayer = (w: Weights, name: string, x: Tensor, run: (x: Tensor) => Tensor): Tensor =>
    norms === 'after' ? addNorm(w, name, x, run(x)) : add(x, run(norm(w, name, x)));

  const feed = (w: Weights, stack: Stack, x: Tensor): Tensor =>
    w.graph.scope('feed_forward', () =>
      sublayer(w, 'final_layer_norm', x, (h) =>
        feedForward(h, {
          up: linearWeights(w, 'fc1', width, stack.hidden),
          down: linearWeights(w, 'fc2', stack.hidden, width),
          activation: parts.activation,
        }),
      ),
    );

  const heads = (stack: Stack): Heads => ({
    heads: stack.heads,
    keyValueHeads: stack.heads,
    headSize: width / stack.heads,
  });
  const bias = parts.keyBias === false ? { but: ['k_proj'] } : true;
  const selfLayer = (w: Weights, stack: Stack) => ({
    ...heads(stack),
    qkv: mergedLinearWeights(w, ['q_proj', 'k_proj', 'v_proj'], width, [width, width, width], bias),
    out: linearWeights(w, 'out_proj', width, width),
  });
  const crossLayer = (w: Weights) => ({
    ...heads(decoder),
    query: linearWeights(w, 'q_proj', width, width),
    out: linearWeights(w, 'out_proj', width, width),
  });

  const embedSource = (w: Weights, inputs: EncoderInputs): Tensor => {
    if (!('sourceFeatures' in parts)) return parts.embedSource(w, sourceIds(inputs));
    if ('features' in inputs) return parts.embedFeatures(w, inputs);
    throw new TypeError('encode: ids are given; this family takes features');
  };

  const states: NonNullable<EncoderDecoderModel['states']> = (g, inputs, cross, taps) =>
    g.scope('decoder', () => {
      const root = weights(g);
      let x = g.scope('embeddings', () => parts.embedTarget(root, inputs.ids, inputs.start ?? 0)); // [B, T, C]
      taps?.hiddenState?.('decoder', x);
      for (let i = 0; i < decoder.layers; i++)
        g.scope(`layers.${i}`, () => {
          const w = layer(root, 'decoder', i);
          x = sublayer(w, 'self_attn_layer_norm', x, (h) =>
            g.scope('self_attn', () =>
              selfAttention(h, selfLayer(w.at('self_attn'), decoder), selfContext(inputs, i, taps)),
            ),
          );
          x = sublayer(w, 'encoder_attn_layer_norm', x, (h) =>
            g.scope('encoder_attn', () =>
              crossAttention(h, cross.keyValues[i]!, crossLayer(w.at('encoder_attn')), {
                ...(cross.mask && { mask: cross.mask }),
                onWeights: taps?.attention && ((a) => taps.attention!('cross', a)),
              }),
            ),
          );
          x = feed(w, decoder, x);
          if (norms === 'after' || i < decoder.layers - 1) taps?.hiddenState?.('decoder', x);
        });
      if (inputs.lastOnly) x = slice(x, 1, -1);
      if (norms === 'before') {
        x = norm(root.at('model.decoder'), 'layer_norm', x);
        taps?.hiddenState?.('decoder', x);
      }
      return x;
    });

  return {
    kind: 'encoder-decoder',
    modelType: parts.modelType,
    vocabSize: parts.vocabSize,
    sourceVocabSize: 'sourceFeatures' in parts ? 0 : parts.sourceVocabSize,
    ...('sourceFeatures' in parts && { sourceFeatures: parts.sourceFeatures }),
    maxPositions: parts.maxPositions,
    maxSourcePositions: parts.maxSourcePositions,
    encoderLayers: encoder.layers,
    decoderLayers: decoder.layers,
    width,
    cacheShape: (rows, positions) => [rows, positions, 2 * width],
    ...(parts.alternatives && { alternatives: parts.alternatives }),

    encode: (g, inputs, taps) =>
      g.scope('encoder', () => {
        const root = weights(g);
        const mask = 'mask' in inputs ? { mask: inputs.mask } : {};
        const embedded = g.scope('embeddings', () => embedSource(root, inputs)); // [B, S, C]
        return encoderLayers(g, embedded, encoder.layers, taps, (x, i, onWeights) => {
          const w = layer(root, 'encoder', i);
          const attended = sublayer(w, 'self_attn_layer_norm', x, (h) =>
            g.scope('self_attn', () =>
              selfAttention(h, selfLayer(w.at('self_attn'), encoder), { causal: false, ...mask, onWeights }),
            ),
          );
          const out = feed(w, encoder, attended);
          return norms === 'before' && i === encoder.layers - 1
            ? norm(root.at('model.encoder'), 'layer_norm', out)
            : out;
        });
      }),

    crossKeyValues: (g, encoded) =>
      Array.from({ length: decoder.layers }, (_, i) =>
        g.scope(`decoder.layers.${i}.encoder_attn`, () =>
          crossKeyValue(
            encoded,
            mergedLinearWeights(
              layer(weights(g), 'decoder', i).at('encoder_attn'),
              ['k_proj', 'v_proj'],
              width,
              [width, width],
              bias,
            ),
          ),
        ),
      ),

    states,
    decode: (g, inputs, cross, taps) => {
      const x = states(g, inputs, cross, taps);
      return g.scope('decoder.logits', () => parts.logits(weights(g), x));
    },
  };
}

/** What causal self-attention of decoder layer i looks at. */
export const selfContext = ({ mask, start, caches }: DecoderInputs, i: number, taps: Taps | undefined) => ({
  causal: true,
  ...(mask && { mask }),
  ...(start !== undefined && { start }),
  ...(caches && { cache: caches[i]! }),
  onWeights: taps?.attention && ((a: Tensor) => taps.attention!('decoder', a)),
});
