// All kernels of this backend.
import type { Kernels } from '@transept/tensor';
import type { Step, Target } from '../step.ts';
import { copy } from './copy.ts';
import { gather } from './gather.ts';
import { matmul } from './matmul.ts';
import { pointwise } from './pointwise.ts';
import { reduce } from './reduce.ts';
import { scatter } from './scatter.ts';

export const kernelsFor = (target: Target): Kernels<Step> => ({
  pointwise,
  reduce: reduce(target),
  matmul: matmul(target),
  gather,
  scatter,
  copy,
});
