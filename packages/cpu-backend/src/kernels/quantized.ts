// matmul with weights in blocks of whole numbers (`assembly/quantized.ts`).
import { elements } from '@transept/tensor';
import type { Call, Plan, Storage } from '@transept/tensor';
import { formOf } from '../step.ts';
import type { Step } from '../step.ts';
import { compileEpilogue } from './expression.ts';
import { blockPanelColumns, blockTileRows, tileHeight } from './tiles.ts';

/** As in `assembly/quantized.ts`. */
const blockRows = 60;
const recordBytes = 72;
const q8Bytes = 272;
const edgeBytes = blockTileRows * blockPanelColumns * 4;

/** a [M, K] × the rows of a stored weight [N, K] → [M, N]. */
export function quantizedStep(call: Call, plan: Plan, stored: Storage): Step {
  const { inputs, output } = call;
  const [a, b] = inputs as [Call['output'], Call['output']];
  const [rows, depth] = a.shape as [number, number];
  const columns = b.shape[1]!;
  const epilogue = compileEpilogue(call, 'f32', plan);
  const edgeAt = epilogue?.scratchBytes ?? 0;
  const rowAt = edgeAt + edgeBytes;
  const blocksAt = rowAt + (a.strides[1] === 1 ? 0 : depth * 4);
  const blocks = depth / 32;
  const panelAt = blocksAt + Math.min(rows, blockRows) * blocks * recordBytes;
  const widened = stored === 'q4' && rows > 4 * blockTileRows;
  const shape = `${tileHeight(rows, blockTileRows)}×${blockPanelColumns}`;
  return {
    kernel: 'quantizedMatmul',
    variant: `${stored} panels${widened ? ', widened to bytes,' : ''} times rows in 16 bits, tiles of ${shape}`,
    work: elements(output.shape) * depth,
    scratchBytes: panelAt + (widened ? blocks * q8Bytes : 0),
    parameters(at) {
      const panels = at.panels(b, stored);
      return [
        rows,
        columns,
        depth,
        at.address(a),
        a.strides[0]! * 4,
        a.strides[1]! * 4,
        panels.address,
        at.address(output),
        formOf(stored),
        epilogue?.place(at) ?? 0,
        at.scratch,
        at.scratchBytes,
        edgeAt,
        rowAt,
        blocksAt,
        panels.tail,
        panelAt,
      ];
    },
  };
}
