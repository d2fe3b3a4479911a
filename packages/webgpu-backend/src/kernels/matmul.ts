// [..., M, K] × [..., K, N]. A parameter stored [N, K] arrives as a transposed view, so both sides run along K: with few
// rows that is a dot product a team. Many rows go through tiles in workgroup memory, unless the device is a CPU, where
// that only costs.
import { elements } from '@transept/tensor';
import type { Call, View } from '@transept/tensor';
import type { GpuKernel, Target } from '../step.ts';
import { matmulDot } from './matmul-dot.ts';
import { matmulPlain } from './matmul-plain.ts';
import { splitAlongK } from './matmul-split.ts';
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
  halves: true,
  prologue: true,
  stores: true,
  declines(call) {
    const { m, k } = matmulSizes(call);
    if (!call.prologue && !call.epilogue?.halves) return undefined;
    if (!isDot(call, target)) return 'only products of rows with rows take norms and halves';
    const keeps = call.prologue && target.software;
    if (keeps && k > mostKept * target.subgroup) return `rows of ${k}; it norms up to ${mostKept * target.subgroup}`;
    const most = keeps ? 1 : mostRows;
    return m > most ? `${m} rows; it norms and halves up to ${most}` : undefined;
  },
  prepare(call, plan) {
    const sizes = matmulSizes(call);
    if (sizes.batch * sizes.m * sizes.n === 0) return [];
    if (isDot(call, target))
      return splitAlongK(call, plan, sizes, target, (part, of) => matmulDot(part, plan, of, target));
    if (target.software || sizes.m <= 4)
      return splitAlongK(call, plan, sizes, target, (part, of) => matmulPlain(part, plan, of, target));
    return matmulTiled(call, plan, sizes, target);
  },
});

/** Rows up to which sharing them in workgroup memory does not pay. */
const mostRows = 8;

/** Elements of a row that an invocation keeps: WGSL gives a function 8 KB. */
const mostKept = 1024;

/** Do both sides run along K, and are there few rows? */
function isDot(call: Call, { software }: Target): boolean {
  const [a, b] = call.inputs as readonly [View, View];
  return a.strides.at(-1) === 1 && b.strides.at(-2) === 1 && (software || matmulSizes(call).m <= mostRows);
}

function matmulSizes({ inputs: [a, b], output }: Call): Sizes {
  return {
    batch: elements(output.shape.slice(0, -2)),
    m: output.shape.at(-2)!,
    n: output.shape.at(-1)!,
    k: Math.min(a!.shape.at(-1)!, b!.shape.at(-2)!),
  };
}
