// What all decoder-only language models do alike: embed, go through blocks, norm, score the vocabulary; with caches, padding,
// positions, and what is shown on the way. A family says only what a block is.
import { alibiBias, countFrom, rotary, selfAttention, weights } from '@transept/layers';
import type { Heads, Rotary, RotaryEmbedding, Scoring, SelfAttentionLayer, Weights } from '@transept/layers';
import { slice } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import type { DecoderInputs, DecoderModel, Routing, Taps } from '../family.ts';

export interface DecoderParts<Shared> extends Heads {
  readonly modelType: string;
  /** Width of the last hidden state. */
  readonly width: number;
  readonly vocabSize: number;
  readonly layers: number;
  /** Most positions, where there is a table of them. Default: no limit. */
  readonly maxPositions?: number;
  readonly decodeAnewAt?: number | undefined;
  readonly routing?: Routing | undefined;
  /** Where the model without its head stands in a checkpoint; those of the model by itself lack it. */
  readonly base: string;
  /** Other names for a tensor in some checkpoints. */
  readonly alternatives?: (name: string) => readonly string[];
  /** Place of the blocks below the base. */
  readonly blocks: string;
  /** Embedded tokens [B, T, C]. `w` stands at the base. */
  embed(pass: Pass, w: Weights): Tensor;
  /** What all blocks of a pass read, such as angles. */
  share(pass: Pass): Shared;
  /** x [B, T, C] → [B, T, C]. `w` stands at the block. */
  block(x: Tensor, w: Weights, at: Block<Shared>): Tensor;
  /** The last hidden state. `w` stands at the base. */
  norm(x: Tensor, w: Weights): Tensor;
  /** [B, T, V]. `w` stands at the root. */
  logits(x: Tensor, w: Weights): Tensor;
}

/** One pass over ids. */
export interface Pass {
  readonly graph: Graph;
  readonly ids: Tensor; // i32 [B, T]
  /** i32 [B, T]: those given, or start, start + 1, … */
  readonly positions: Tensor;
  /** i32 [B, T]: those given, or which of the tokens that are no padding each is. */
  readonly tokenPositions: Tensor;
  rotary(embedding: RotaryEmbedding): Rotary;
  /** Linear biases of the keys, for these slopes of the heads: [B or 1, H, 1, S]. */
  alibi(slopes: Float32Array): Tensor;
}

/** One block in a pass. */
export interface Block<Shared> {
  readonly index: number;
  readonly shared: Shared;
  /** For a mixture of experts. */
  readonly onRouted: ((logits: Tensor) => void) | undefined;
  /** Causal self-attention over what the pass and the caches hold. */
  attend(x: Tensor, layer: SelfAttentionLayer, options?: { rotary?: Rotary | undefined } & Scoring): Tensor;
}

/** A decoder-only language model from what its family is. */
export function decoderModel<Shared>(parts: DecoderParts<Shared>): DecoderModel {
  const { modelType, width, vocabSize, layers, keyValueHeads, headSize, base } = parts;

  const states = (g: Graph, inputs: DecoderInputs, taps: Taps | undefined): Tensor => {
    const pass = passOf(g, inputs);
    const w = weights(g, base);
    let x = g.scope('embeddings', () => parts.embed(pass, w)); // [B, T, C]
    const shared = g.scope('positions', () => parts.share(pass));
    taps?.hiddenState?.('decoder', x);
    for (let i = 0; i < layers; i++) {
      const block: Block<Shared> = { index: i, shared, attend: attention(i, inputs, taps), onRouted: taps?.router };
      x = g.scope(`layers.${i}`, () => parts.block(x, w.at(`${parts.blocks}.${i}`), block));
      if (i < layers - 1) taps?.hiddenState?.('decoder', x);
    }
    const last = g.scope('logits', () => parts.norm(inputs.lastOnly ? slice(x, 1, -1) : x, w));
    taps?.hiddenState?.('decoder', last);
    return last;
  };

  return {
    kind: 'decoder',
    modelType,
    width,
    vocabSize,
    maxPositions: parts.maxPositions ?? Infinity,
    decodeAnewAt: parts.decodeAnewAt,
    routing: parts.routing,
    decoderLayers: layers,
    cacheShape: (rows, positions) => [rows, positions, 2 * keyValueHeads * headSize],
    alternatives: (name) => [
      ...(parts.alternatives?.(name) ?? []),
      ...(name.startsWith(`${base}.`) ? [name.slice(base.length + 1)] : []),
    ],
    states,
    decode(g, inputs, taps) {
      const last = states(g, inputs, taps);
      return g.scope('logits', () => parts.logits(last, weights(g)));
    },
  };
}

function passOf(graph: Graph, inputs: DecoderInputs): Pass {
  const { ids, start = 0, caches } = inputs;
  const keys = caches?.[0]?.shape[1] ?? ids.shape[1]!;
  let counted: Tensor | undefined;
  const positions = (): Tensor => inputs.positions ?? (counted ??= countFrom(ids, start));
  return {
    graph,
    ids,
    get positions() {
      return positions();
    },
    get tokenPositions() {
      return inputs.positions ?? (caches ? undefined : inputs.keyPositions) ?? positions();
    },
    rotary: (embedding) =>
      rotary(graph, positions(), { ...embedding, positions: inputs.positionLimit ?? tableSize(keys) }),
    alibi: (slopes) => alibiBias(graph, slopes, { positions: inputs.keyPositions, count: keys }),
  };
}

/** Tables of few sizes: they stay with the model. */
const tableSize = (positions: number): number => 2 ** Math.ceil(Math.log2(positions));

const attention =
  (i: number, { mask, start = 0, caches }: DecoderInputs, taps: Taps | undefined): Block<unknown>['attend'] =>
  (x, layer, { rotary: angles, ...scoring } = {}) =>
    selfAttention(x, layer, {
      causal: true,
      start,
      rotary: angles,
      scoring,
      ...(mask && { mask }),
      ...(caches && { cache: caches[i]! }),
      onWeights: taps?.attention && ((a) => taps.attention!('decoder', a)),
    });

/** The map to the vocabulary: the token embeddings where they are tied, else `lm_head`. */
export function vocabularyWeight(
  w: Weights,
  { tied, embeddings, shape }: { tied: boolean; embeddings: string; shape: readonly [number, number] },
): Tensor {
  return w.get(tied ? embeddings : 'lm_head.weight', shape);
}
