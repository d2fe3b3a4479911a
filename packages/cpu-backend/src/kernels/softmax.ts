// softmax and logSoftmax.
import type { Kernel } from '@transept/tensor';
import type { Step } from '../step.ts';
import { rowStep } from './rows.ts';

export const softmax: Kernel<Step> = {
  epilogue: true,
  prepare: (call, plan) => rowStep('softmax', call, plan, 'f32', () => [0]),
};

export const logSoftmax: Kernel<Step> = {
  epilogue: true,
  prepare: (call, plan) => rowStep('softmax', call, plan, 'f32', () => [1]),
};
