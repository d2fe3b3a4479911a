// ModernBERT (Warner et al., arXiv:2412.13663): an encoder with rotary positions, gated feed-forward layers, norms before the
// sublayers, and attention that sees only neighbours in most layers. Names and details as in ModernBertModel of transformers.
import {
  embedding,
  countFrom,
  gatedFeedForward,
  layerNorm,
  linear,
  linearWeights,
  preNormBlock,
  rotary,
  selfAttention,
  weights,
} from '@transept/layers';
import type { Rotary, Weights } from '@transept/layers';
import { activation, cast, div, expandDims, mul, select, sum } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import type { EncoderModel, Family, TextInputs } from '../family.ts';
import {
  encoderNames,
  features,
  firstToken,
  headMembers,
  headOf,
  maskedTokens,
  sequenceClassification,
  tokenClassification,
} from '../heads.ts';
import type { HeadMakers } from '../heads.ts';
import { encoderLayers } from '../stack.ts';
import { modernbertConfig } from './config.ts';
import type { ModernbertConfig } from './config.ts';

export const modernbert: Family = {
  modelType: 'modernbert',
  create: (reader) => modernbertModel(reader, modernbertConfig(reader)),
};

function modernbertModel(reader: ConfigReader, config: ModernbertConfig): EncoderModel {
  const { width, hidden, vocabSize, maxPositions, heads: headCount, attentionBias, mlpBias } = config;
  const { head, bare } = headOf(reader, 'ModernBert', heads(reader, config));

  const attention = (w: Weights) => ({
    heads: headCount,
    keyValueHeads: headCount,
    headSize: width / headCount,
    qkv: linearWeights(w, 'Wqkv', width, 3 * width, attentionBias),
    out: linearWeights(w, 'Wo', width, width, attentionBias),
  });

  return {
    kind: 'encoder',
    modelType: 'modernbert',
    vocabSize,
    maxPositions,
    positionIds: maxPositions,
    width,
    tokenTypes: 0,
    alternatives: encoderNames('model'),
    encode: (g, { ids, mask, positions }, taps) => {
      const w = weights(g, bare ? '' : 'model');
      const embedded = g.scope('embeddings', () =>
        norm(embedding(ids, table(w, config)), w.at('embeddings.norm'), config),
      );
      const anglesOf = rotaries(g, config, positions ?? countFrom(ids, 0));
      const { layers } = config;
      return encoderLayers(g, embedded, layers.length, taps, (x, i, onWeights) => {
        const at = w.at(`layers.${i}`);
        const { local } = layers[i]!;
        const out = preNormBlock(x, {
          // The first layer reads what the embeddings' norm gives.
          attentionNorm: (h) => (i === 0 ? h : norm(h, at.at('attn_norm'), config)),
          attend: (h) =>
            selfAttention(h, attention(at.at('attn')), {
              causal: false,
              mask,
              rotary: anglesOf(local ? 'local' : 'global'),
              ...(local && { scoring: { window: Math.floor(config.localAttention / 2) + 1 } }),
              onWeights,
            }),
          feedNorm: (h) => norm(h, at.at('mlp_norm'), config),
          feed: (h) =>
            gatedFeedForward(h, {
              gateUp: linearWeights(at, 'mlp.Wi', width, 2 * hidden, mlpBias),
              down: linearWeights(at, 'mlp.Wo', hidden, width, mlpBias),
              activation: config.activation,
            }),
        });
        return i < layers.length - 1 ? out : norm(out, w.at('final_norm'), config);
      });
    },
    ...headMembers(head),
  };
}

const norm = (x: Tensor, w: Weights, { eps, normBias }: ModernbertConfig): Tensor =>
  layerNorm(x, w, { eps, ...(!normBias && { shift: false }) });

const table = (w: Weights, { vocabSize, width }: ModernbertConfig): Tensor =>
  w.get('embeddings.tok_embeddings.weight', [vocabSize, width]);

type Reach = 'local' | 'global';

/** Angles for layers that see neighbours and for those that see all, each made when it is first asked for. */
function rotaries(g: Graph, config: ModernbertConfig, positions: Tensor): (reach: Reach) => Rotary {
  const made = new Map<Reach, Rotary>();
  return (reach) => {
    const known = made.get(reach);
    if (known) return known;
    const angles = rotary(g, positions, { positions: config.maxPositions, ...config.rotary[reach] });
    made.set(reach, angles);
    return angles;
  };
}

function heads(reader: ConfigReader, config: ModernbertConfig): HeadMakers {
  const { width, vocabSize, tiedOutput } = config;
  const prepare = (w: Weights, hidden: Tensor): Tensor => {
    const at = w.at('head');
    const x = linear(hidden, linearWeights(at, 'dense', width, width, config.classifierBias));
    return norm(activation(config.classifierActivation, x), at.at('norm'), config);
  };
  return {
    Model: () => features(),
    ForMaskedLM: () =>
      maskedTokens((w, hidden) => {
        const weight = tiedOutput ? table(w.at('model'), config) : w.get('decoder.weight', [vocabSize, width]);
        return linear(prepare(w, hidden), {
          weight,
          ...(config.decoderBias && { bias: w.get('decoder.bias', [vocabSize]) }),
        });
      }),
    ForSequenceClassification: () =>
      sequenceClassification(reader.labels(), width, (w, hidden, inputs) =>
        prepare(w, config.pooling === 'cls' ? firstToken(hidden) : average(hidden, inputs)),
      ),
    ForTokenClassification: () => tokenClassification(reader.labels(), width, prepare),
    ForQuestionAnswering: () => ({
      task: 'questionAnswering',
      outputs: (w, hidden) => {
        const both = linear(prepare(w, hidden), linearWeights(w, 'classifier', width, 2)); // [B, T, 2]
        return { start_logits: select(both, -1, 0), end_logits: select(both, -1, 1) };
      },
    }),
  };
}

/** The mean over real tokens: [B, T, C] → [B, C]. */
function average(hidden: Tensor, { mask }: TextInputs): Tensor {
  const real = expandDims(cast(mask, 'f32'), 2); // [B, T, 1]
  const over = { axes: [1], keepDims: false };
  return div(sum(mul(hidden, real), over), sum(real, over));
}
