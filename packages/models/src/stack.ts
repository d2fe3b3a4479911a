// Layers one after the other, showing what somebody wants to see of them.
import type { Graph, Tensor } from '@transept/tensor';
import type { Taps } from './family.ts';

type Layer = (x: Tensor, i: number, onWeights: ((weights: Tensor) => void) | undefined) => Tensor;

/** x [B, T, C] through the layers of an encoder; every output is shown, the last one too. */
export function encoderLayers(g: Graph, x: Tensor, count: number, taps: Taps | undefined, layer: Layer): Tensor {
  const onWeights = taps?.attention && ((weights: Tensor) => taps.attention!('encoder', weights));
  taps?.hiddenState?.('encoder', x);
  for (let i = 0; i < count; i++) {
    x = g.scope(`layers.${i}`, () => layer(x, i, onWeights));
    taps?.hiddenState?.('encoder', x);
  }
  return x;
}
