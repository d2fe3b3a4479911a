// argmax over the last axis.
import type { Kernel } from '@transept/tensor';
import type { Step } from '../step.ts';
import { rowStep } from './rows.ts';

export const argmax: Kernel<Step> = {
  epilogue: true,
  prepare: (call, plan) => rowStep('argmax', call, plan, 'i32', () => []),
};
