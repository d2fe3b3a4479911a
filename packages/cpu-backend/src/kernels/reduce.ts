// reduce over trailing axes: kept and reduced axes are merged separately.
import { collapse, computeType, elements } from '@transept/tensor';
import type { Kernel } from '@transept/tensor';
import { byteStrides } from '../step.ts';
import type { Step } from '../step.ts';
import { compileEpilogue } from './expression.ts';

const fns = ['sum', 'max', 'min', 'prod'];

export const reduce: Kernel<Step> = {
  epilogue: true,
  prepare(call, plan) {
    const { attrs, inputs, output } = call;
    const x = inputs[0]!;
    const integers = computeType(x.dtype) !== 'f32';
    const kept = x.shape.length - (attrs['axes'] as number);
    const part = (from: number, to?: number) => {
      const { shape, strides } = collapse([
        { offset: 0, shape: x.shape.slice(from, to), strides: x.strides.slice(from, to) },
      ]);
      return { shape, strides: strides[0]! };
    };
    const outer = part(0, kept);
    const inner = part(kept);
    if (inner.shape.length === 0) {
      inner.shape.push(1);
      inner.strides.push(1);
    }
    const epilogue = compileEpilogue(call, integers ? 'i32' : 'f32', plan);
    return {
      kernel: 'reduce',
      work: elements(x.shape),
      scratchBytes: epilogue?.scratchBytes ?? 0,
      parameters: (at) => [
        fns.indexOf(attrs['fn'] as string) + (integers ? 4 : 0),
        elements(output.shape),
        outer.shape.length,
        at.words(outer.shape),
        at.words(byteStrides(outer.strides)),
        elements(inner.shape.slice(0, -1)),
        inner.shape.at(-1)!,
        inner.shape.length - 1,
        at.words(inner.shape),
        at.words(byteStrides(inner.strides)),
        at.address(x),
        at.address(output),
        epilogue?.place(at) ?? 0,
        at.scratch,
        at.scratchBytes,
      ],
    };
  },
};
