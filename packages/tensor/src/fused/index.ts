import type { Fused } from '../backend.ts';
import { defineArgmax } from './argmax.ts';
import { defineAttention } from './attention.ts';
import { defineCrossEntropy, defineCrossEntropyGradient } from './cross-entropy.ts';
import type { Definition } from './definition.ts';
import { defineLayerNorm, defineRmsNorm } from './norm.ts';
import { defineRope } from './rope.ts';
import { defineLogSoftmax, defineSoftmax } from './softmax.ts';

/** The meaning of every fused operation. */
export const definitions: Readonly<Record<Fused, Definition>> = {
  softmax: defineSoftmax,
  logSoftmax: defineLogSoftmax,
  layerNorm: defineLayerNorm,
  rmsNorm: defineRmsNorm,
  rope: defineRope,
  attention: defineAttention,
  argmax: defineArgmax,
  crossEntropy: defineCrossEntropy,
  crossEntropyGradient: defineCrossEntropyGradient,
};
