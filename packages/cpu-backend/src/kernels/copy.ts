// copy: two views of one shape, with the axes merged that both can merge.
import { collapse, elements } from '@transept/tensor';
import type { Kernel } from '@transept/tensor';
import { byteStrides } from '../step.ts';
import type { Step } from '../step.ts';

export const copy: Kernel<Step> = {
  prepare({ inputs, output }) {
    const from = inputs[0]!;
    const { shape, strides } = collapse([output, from]);
    if (shape.length === 0) {
      shape.push(1);
      for (const s of strides) s.push(1);
    }
    return {
      kernel: 'copy',
      work: elements(shape),
      scratchBytes: 0,
      parameters: (at) => [
        shape.length,
        at.words(shape),
        at.address(from),
        at.words(byteStrides(strides[1]!)),
        at.address(output),
        at.words(byteStrides(strides[0]!)),
        elements(shape.slice(0, -1)),
      ],
    };
  },
};
