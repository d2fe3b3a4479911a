// [..., M, K] × [..., K, N]. A parameter stored [N, K] arrives as a transposed view, so both sides run along K: with few
// rows that is a dot product a team. Many rows go through tiles in workgroup memory, unless the device is a CPU, where
// that only costs.
import { elements } from '@transept/tensor';
import type { Call, View } from '@transept/tensor';
import type { GpuKernel, Target } from '../step.ts';
import { matmulDot } from './matmul-dot.ts';
import { matmulPlain } from './matmul-plain.ts';
import { matmulTiled } from './matmul-tiled.ts';

/** The sizes of a product; `batch` counts the leading axes together. */
export interface Sizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export const matmul = (target: Target): GpuKernel => ({
  epilogue: true,
  prepare(call, plan) {
    const sizes = matmulSizes(call);
    if (sizes.batch * sizes.m * sizes.n === 0) return [];
    const [a, b] = call.inputs as readonly [View, View];
    const bothAlongK = a.strides.at(-1) === 1 && b.strides.at(-2) === 1;
    if (bothAlongK && (target.software || sizes.m <= 8)) return matmulDot(call, plan, sizes, target);
    if (target.software || sizes.m <= 4) return matmulPlain(call, plan, sizes, target);
    return matmulTiled(call, plan, sizes, target);
  },
});

function matmulSizes({ inputs: [a, b], output }: Call): Sizes {
  return {
    batch: elements(output.shape.slice(0, -2)),
    m: output.shape.at(-2)!,
    n: output.shape.at(-1)!,
    k: Math.min(a!.shape.at(-1)!, b!.shape.at(-2)!),
  };
}
