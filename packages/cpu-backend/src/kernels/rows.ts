// What the kernels over rows of the last axis share: where the rows lie (`assembly/rows.ts`).
import { collapse, elements } from '@transept/tensor';
import type { Call, ComputeType, Plan, View } from '@transept/tensor';
import { byteStrides } from '../step.ts';
import type { Placement, Step } from '../step.ts';
import { compileEpilogue } from './expression.ts';

/**
 * A step of a kernel over the rows of the call's first input; `own` are its parameters beyond the common ones. Views `beside` have an
 * element for every row: `own` is given their strides in bytes.
 */
export function rowStep(
  kernel: Step['kernel'],
  call: Call,
  plan: Plan,
  result: ComputeType,
  own: (at: Placement, strides: readonly (readonly number[])[]) => readonly number[],
  beside: readonly View[] = [],
): Step {
  const x = call.inputs[0]!;
  const columns = x.shape.at(-1)!;
  const stride = columns > 1 ? x.strides.at(-1)! : 1;
  const { shape, strides } = collapse([
    { offset: 0, shape: x.shape.slice(0, -1), strides: x.strides.slice(0, -1) },
    ...beside,
  ]);
  const epilogue = compileEpilogue(call, result, plan);
  const copyAt = epilogue?.scratchBytes ?? 0;
  return {
    kernel,
    work: elements(x.shape) * 4,
    scratchBytes: copyAt + (stride === 1 ? 0 : columns * 4 + 16),
    parameters: (at) => [
      elements(shape),
      columns,
      shape.length,
      at.words(shape),
      at.words(byteStrides(strides[0]!)),
      stride * 4,
      at.address(x),
      at.address(call.output),
      epilogue?.place(at) ?? 0,
      at.scratch,
      at.scratchBytes,
      copyAt,
      ...own(at, strides.slice(1).map(byteStrides)),
    ],
  };
}
