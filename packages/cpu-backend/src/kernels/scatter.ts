// scatter: rows written or added in place, by number or as a run of rows.
import { collapse, computeType, elements } from '@transept/tensor';
import type { Kernel, Layout, ScalarRef } from '@transept/tensor';
import { byteStrides } from '../step.ts';
import type { Step } from '../step.ts';

const row = ({ shape, strides }: Layout): Layout => ({ offset: 0, shape: shape.slice(1), strides: strides.slice(1) });

export const scatter: Kernel<Step> = {
  prepare({ attrs, inputs, output }) {
    const [updates, indices] = inputs;
    if (!updates) throw new TypeError('scatter: no updates');
    const { shape, strides } = collapse([row(output), row(updates)]);
    if (shape.length === 0) {
      shape.push(1);
      for (const s of strides) s.push(1);
    }
    const add = attrs['mode'] === 'add';
    return {
      kernel: 'scatter',
      // With indices the order of the rows counts, and one thread takes them all.
      work: indices ? 0 : elements(updates.shape),
      scratchBytes: 0,
      parameters: (at) => [
        updates.shape[0]!,
        output.shape[0]!,
        at.address(output),
        output.strides[0]! * 4,
        at.address(updates),
        updates.strides[0]! * 4,
        elements(shape.slice(0, -1)),
        shape.at(-1)!,
        shape.length - 1,
        at.words(shape),
        at.words(byteStrides(strides[0]!)),
        at.words(byteStrides(strides[1]!)),
        indices ? at.address(indices) : 0,
        indices ? indices.strides[0]! * 4 : 0,
        indices ? 0 : at.scalar(attrs['start'] as number | ScalarRef),
        !add ? 0 : computeType(output.dtype) === 'f32' ? 1 : 2,
      ],
    };
  },
};
