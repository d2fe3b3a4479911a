// OPT (Zhang et al., arXiv:2205.01068): learned positions that count tokens and start at 2, and in the 350M norms after the
// sublayers and narrow embeddings. Names and details as in OPTForCausalLM of transformers.
import {
  attentionWeights,
  embedding,
  feedForward,
  inside,
  layerNorm,
  linear,
  linearWeights,
  plainLayerNorm,
  postNormBlock,
  preNormBlock,
} from '@transept/layers';
import type { Weights } from '@transept/layers';
import { add, gather } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { decoderModel, vocabularyWeight } from '../decoder/model.ts';
import type { DecoderModel, Family } from '../family.ts';
import { optConfig } from './config.ts';
import type { OptConfig } from './config.ts';

export const opt: Family = {
  modelType: 'opt',
  create: (config) => optModel(optConfig(config)),
};

const eps = 1e-5;
const firstPosition = 2;

function optModel(c: OptConfig): DecoderModel {
  const { width, hidden, vocabSize, embeddingWidth, biases } = c;
  const norm =
    (w: Weights) =>
    (x: Tensor): Tensor =>
      c.normWeights ? layerNorm(x, w, { eps }) : plainLayerNorm(x, { eps });
  const projected = (x: Tensor, w: Weights, name: string, from: number, to: number): Tensor =>
    from === to ? x : linear(x, linearWeights(w, name, from, to, false));
  const block = c.normFirst ? preNormBlock : postNormBlock;
  return decoderModel({
    ...c,
    modelType: 'opt',
    width: embeddingWidth,
    base: 'model.decoder',
    blocks: 'layers',
    alternatives: (name) => [name.replace(/^model\./, '')],
    embed({ ids, tokenPositions }, w) {
      const tokens = embedding(ids, w.get('embed_tokens.weight', [vocabSize, embeddingWidth]));
      const table = w.get('embed_positions.weight', [c.maxPositions + firstPosition, width]);
      return add(
        projected(tokens, w, 'project_in', embeddingWidth, width),
        gather(table, add(tokenPositions, firstPosition)),
      );
    },
    share: () => undefined,
    block: (x, w, { attend }) =>
      block(x, {
        attentionNorm: norm(w.at('self_attn_layer_norm')),
        attend: (h) =>
          inside(w, 'self_attn', (at) => attend(h, attentionWeights(at, { ...c, bias: biases, out: 'out_proj' }))),
        feedNorm: norm(w.at('final_layer_norm')),
        feed: (h) => {
          const [up, down] = [
            linearWeights(w, 'fc1', width, hidden, biases),
            linearWeights(w, 'fc2', hidden, width, biases),
          ];
          return feedForward(h, { ...c, up, down });
        },
      }),
    norm(x, w) {
      const last = c.finalNorm ? norm(w.at('final_layer_norm'))(x) : x;
      return projected(last, w, 'project_out', width, embeddingWidth);
    },
    logits: (x, w) =>
      linear(x, {
        weight: vocabularyWeight(w, {
          ...c,
          embeddings: 'model.decoder.embed_tokens.weight',
          shape: [vocabSize, embeddingWidth],
        }),
      }),
  });
}
