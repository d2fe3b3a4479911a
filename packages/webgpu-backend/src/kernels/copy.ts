// A copy is the pointwise expression that is its input.
import { expr } from '@transept/tensor';
import type { GpuKernel } from '../step.ts';
import { elementwise } from './pointwise.ts';

export const copy: GpuKernel = {
  prepare: (call, plan) => elementwise(call, plan, expr.input(0)),
};
