// Cross-attention of one sentence, reduced to one matrix: a layer or their mean, a head or their mean.
import type { Attention } from '../protocol.ts';

/** Which layer and head to show; undefined for the mean of all. */
export interface AttentionChoice {
  readonly layer: number | undefined;
  readonly head: number | undefined;
}

/** [T, S], row-major. */
export function chosenWeights(attention: Attention, { layer, head }: AttentionChoice): Float32Array {
  const { layers, heads, targets, sources, weights } = attention;
  const size = targets * sources;
  const picked = (chosen: number | undefined, count: number): number[] =>
    chosen === undefined ? Array.from({ length: count }, (_, i) => i) : [chosen];
  const maps = picked(layer, layers).flatMap((l) => picked(head, heads).map((h) => (l * heads + h) * size));
  const mean = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (const start of maps) sum += weights[start + i]!;
    mean[i] = sum / maps.length;
  }
  return mean;
}

/** Largest difference of a weight between two attentions over the same tokens. */
export function largestDifference(a: Attention, b: Attention): number {
  let worst = 0;
  for (let i = 0; i < a.weights.length; i++) {
    const difference = Math.abs(a.weights[i]! - b.weights[i]!);
    if (difference > worst || Number.isNaN(difference)) worst = difference;
  }
  return worst;
}
