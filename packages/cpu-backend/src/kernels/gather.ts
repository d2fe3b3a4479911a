// gather: rows of a table by number, or a run of rows.
import { collapse, computeType, elements, storedBytes } from '@transept/tensor';
import type { Kernel, ScalarRef } from '@transept/tensor';
import { byteStrides, formOf, storageOf } from '../step.ts';
import type { Step } from '../step.ts';
import { compileEpilogue } from './expression.ts';

export const gather: Kernel<Step> = {
  epilogue: true,
  prepare(call, plan) {
    const { attrs, inputs, output } = call;
    const [table, indices] = inputs;
    if (!table) throw new TypeError('gather: no table');
    const rest = collapse([{ offset: 0, shape: table.shape.slice(1), strides: table.strides.slice(1) }]);
    if (rest.shape.length === 0) {
      rest.shape.push(1);
      rest.strides[0]!.push(1);
    }
    const stored = storageOf(table, plan);
    const which = indices && collapse([indices]);
    const epilogue = compileEpilogue(call, computeType(table.dtype), plan);
    return {
      kernel: 'gather',
      ...(stored && { variant: `${stored} rows` }),
      work: elements(output.shape),
      scratchBytes: epilogue?.scratchBytes ?? 0,
      parameters(at) {
        const rows = at.rows(table);
        return [
          indices ? elements(indices.shape) : (attrs['count'] as number),
          table.shape[0]!,
          rows.table,
          stored ? storedBytes(stored, table.strides[0]!) : table.strides[0]! * 4,
          elements(rest.shape),
          rest.shape.length,
          at.words(rest.shape),
          at.words(byteStrides(rest.strides[0]!)),
          indices ? at.address(indices) : 0,
          which?.shape.length ?? 0,
          which ? at.words(which.shape) : 0,
          which ? at.words(byteStrides(which.strides[0]!)) : 0,
          indices ? 0 : at.scalar(attrs['start'] as number | ScalarRef),
          at.address(output),
          epilogue?.place(at) ?? 0,
          at.scratch,
          at.scratchBytes,
          formOf(stored),
          rows.panelledAt,
          rows.base,
          rows.first,
        ];
      },
    };
  },
};
