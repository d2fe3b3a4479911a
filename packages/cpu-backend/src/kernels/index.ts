// All kernels of the backend.
import type { Kernel, Kernels } from '@transept/tensor';
import { worthSharing } from '../step.ts';
import type { Step } from '../step.ts';
import { argmax } from './argmax.ts';
import { attention } from './attention.ts';
import { copy } from './copy.ts';
import { crossEntropy, crossEntropyGradient } from './cross-entropy.ts';
import { gather } from './gather.ts';
import { matmul } from './matmul.ts';
import { layerNorm, rmsNorm } from './norm.ts';
import { pointwise } from './pointwise.ts';
import { reduce } from './reduce.ts';
import { rope } from './rope.ts';
import { scatter } from './scatter.ts';
import { logSoftmax, softmax } from './softmax.ts';

const plain: Kernels<Step> = {
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
  crossEntropy,
  crossEntropyGradient,
};

/** A kernel that says of a call what its step says, and whether threads share it. */
const described = (kernel: Kernel<Step>): Kernel<Step> => ({
  ...kernel,
  describe(call, plan, can) {
    const { variant, work } = kernel.prepare(call, plan, can);
    const shared = work >= worthSharing && can.details['threads'] !== 1;
    const sharing = shared ? 'shared by threads' : 'one thread';
    return variant ? `${variant}, ${sharing}` : sharing;
  },
});

export const kernels = Object.fromEntries(
  Object.entries(plain).map(([op, kernel]) => [op, described(kernel)]),
) as Kernels<Step>;
