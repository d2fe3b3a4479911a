// Vision Transformer (Dosovitskiy et al., arXiv:2010.11929): an image is cut into patches, which go through an encoder like the
// tokens of a text, behind a token for the whole. Names and details as in ViTModel of transformers.
import {
  feedForward,
  layerNorm,
  linear,
  linearWeights,
  mergedLinearWeights,
  preNormBlock,
  selfAttention,
  weights,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { activation, add, broadcastTo, concat, reshape, slice, transpose } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { Family, VisionModel } from '../family.ts';
import { firstToken, problemOf } from '../heads.ts';
import { encoderLayers } from '../stack.ts';
import type { ConfigReader } from '../config.ts';
import { vitConfig } from './config.ts';
import type { VitConfig } from './config.ts';

export const vit: Family = {
  modelType: 'vit',
  create: (reader) => vitModel(reader, vitConfig(reader)),
};

function vitModel(reader: ConfigReader, config: VitConfig): VisionModel {
  const { width, hidden, heads, eps, classifies } = config;
  const labels = classifies ? reader.labels() : undefined;

  const attention = (w: Weights) => ({
    heads,
    keyValueHeads: heads,
    headSize: width / heads,
    qkv: mergedLinearWeights(
      w.at('attention'),
      ['query', 'key', 'value'],
      width,
      [width, width, width],
      config.qkvBias,
    ),
    out: linearWeights(w, 'output.dense', width, width),
  });

  return {
    kind: 'vision',
    modelType: 'vit',
    task: classifies ? 'sequenceClassification' : 'features',
    width,
    ...(labels && { labels, ...problemOf(reader) }),
    imageShape: [config.channels, ...config.image],
    alternatives: (name) => [name.startsWith('vit.') ? name.slice('vit.'.length) : `vit.${name}`],

    encode: (g, pixels, taps) => {
      const w = weights(g, classifies ? 'vit' : '');
      const embedded = g.scope('embeddings', () => embed(w.at('embeddings'), config, pixels)); // [B, T, C]
      const encoded = encoderLayers(g, embedded, config.layers, taps, (x, i, onWeights) => {
        const at = w.at(`encoder.layer.${i}`);
        return preNormBlock(x, {
          attentionNorm: (h) => layerNorm(h, at.at('layernorm_before'), { eps }),
          attend: (h) => selfAttention(h, attention(at.at('attention')), { causal: false, onWeights }),
          feedNorm: (h) => layerNorm(h, at.at('layernorm_after'), { eps }),
          feed: (h) =>
            feedForward(h, {
              up: linearWeights(at, 'intermediate.dense', width, hidden),
              down: linearWeights(at, 'output.dense', hidden, width),
              activation: config.activation,
            }),
        });
      });
      return layerNorm(encoded, w.at('layernorm'), { eps });
    },

    outputs: (g, encoded) => {
      const w = weights(g);
      const first = firstToken(encoded);
      if (labels) return { logits: linear(first, linearWeights(w, 'classifier', width, labels.length)) };
      const pooled = linear(first, linearWeights(w, 'pooler.dense', width, config.poolerWidth));
      return { last_hidden_state: encoded, pooler_output: activation(config.poolerActivation, pooled) };
    },
  };
}

/** pixels [B, channels, height, width] → one token for the whole and one for each patch, row by row: [B, 1 + patches, C]. */
function embed(w: Weights, { width, channels, image, patch }: VitConfig, pixels: Tensor): Tensor {
  const B = pixels.shape[0]!;
  const [rows, columns] = [Math.floor(image[0] / patch[0]), Math.floor(image[1] / patch[1])];
  // What is left at the edges of an image that patches do not fill is not seen.
  const seen = slice(slice(pixels, 2, 0, rows * patch[0]), 3, 0, columns * patch[1]);
  const grid = reshape(seen, [B, channels, rows, patch[0], columns, patch[1]]);
  const values = channels * patch[0] * patch[1];
  const patches = reshape(transpose(grid, [0, 2, 4, 1, 3, 5]), [B, rows * columns, values]);
  const at = w.at('patch_embeddings.projection');
  const weight = reshape(at.get('weight', [width, channels, ...patch]), [width, values]);
  const tokens = linear(patches, { weight, bias: at.get('bias', [width]) });
  const whole = broadcastTo(w.get('cls_token', [1, 1, width]), [B, 1, width]);
  return add(concat([whole, tokens], 1), w.get('position_embeddings', [1, 1 + rows * columns, width]));
}
