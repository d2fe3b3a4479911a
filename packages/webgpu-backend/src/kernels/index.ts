// All kernels of this backend.
import type { Kernels } from '@transept/tensor';
import type { Step, Target } from '../step.ts';
import { argmax } from './argmax.ts';
import { attention } from './attention.ts';
import { copy } from './copy.ts';
import { gather } from './gather.ts';
import { matmul } from './matmul.ts';
import { layerNorm, rmsNorm } from './norm.ts';
import { pointwise } from './pointwise.ts';
import { reduce } from './reduce.ts';
import { rope } from './rope.ts';
import { scatter } from './scatter.ts';
import { logSoftmax, softmax } from './softmax.ts';

export const kernelsFor = (target: Target): Kernels<Step> => ({
  pointwise,
  reduce: reduce(target),
  matmul: matmul(target),
  gather: gather(target),
  scatter,
  copy,
  softmax: softmax(target),
  logSoftmax: logSoftmax(target),
  layerNorm: layerNorm(target),
  rmsNorm: rmsNorm(target),
  rope,
  attention: attention(target),
  argmax: argmax(target),
});
