// All kernels of the backend.
import type { Kernels } from '@transept/tensor';
import type { Step } from '../step.ts';
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

export const kernels: Kernels<Step> = {
  pointwise,
  reduce,
  matmul,
  gather,
  scatter,
  copy,
  softmax,
  logSoftmax,
  layerNorm,
  rmsNorm,
  rope,
  attention,
  argmax,
};
