// All kernels of the backend.
import type { Kernels } from '@transept/tensor';
import type { Step } from '../step.ts';
import { copy } from './copy.ts';
import { gather } from './gather.ts';
import { matmul } from './matmul.ts';
import { pointwise } from './pointwise.ts';
import { reduce } from './reduce.ts';
import { scatter } from './scatter.ts';

export const kernels: Kernels<Step> = { pointwise, reduce, matmul, gather, scatter, copy };
