// rope: rotary position embedding.
import { elements } from '@transept/tensor';
import type { Kernel } from '@transept/tensor';
import { byteStrides } from '../step.ts';
import type { Step } from '../step.ts';
import { compileEpilogue } from './expression.ts';

export const rope: Kernel<Step> = {
  epilogue: true,
  prepare(call, plan) {
    const { attrs, inputs, output } = call;
    const [x, cos, sin] = inputs;
    if (!x || !cos || !sin) throw new TypeError('rope: needs x, cos and sin');
    const epilogue = compileEpilogue(call, 'f32', plan);
    return {
      kernel: 'rope',
      work: elements(x.shape) * 2,
      scratchBytes: epilogue?.scratchBytes ?? 0,
      parameters: (at) => [
        elements(x.shape.slice(0, 3)),
        at.words(x.shape.slice(0, 3)),
        x.shape[3]!,
        cos.shape[3]!,
        attrs['interleaved'] ? 1 : 0,
        at.address(x),
        at.words(byteStrides(x.strides)),
        at.address(cos),
        at.words(byteStrides(cos.strides)),
        at.address(sin),
        at.words(byteStrides(sin.strides)),
        at.address(output),
        epilogue?.place(at) ?? 0,
        at.scratch,
        at.scratchBytes,
      ],
    };
  },
};
