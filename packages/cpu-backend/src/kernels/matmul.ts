// matmul: parameters are packed at load; the split between threads follows the shape.
import { elements } from '@transept/tensor';
import type { Kernel, Plan, View } from '@transept/tensor';
import { formOf, storageOf } from '../step.ts';
import type { Step } from '../step.ts';
import { compileEpilogue } from './expression.ts';
import { quantizedStep } from './quantized.ts';
import { panelColumns } from '../unpack.ts';
import { tileRows, tileShape } from './tiles.ts';

/** Block sizes of `assembly/matmul.ts`. */
const blockColumns = 256;
const blockRows = 96;
/** How much of the depth is one block: a panel is read in one stream, and stays in L2 while tiles of rows pass by. */
const blockDepth = 2048;
/** From so many rows on panels of halves are widened once. */
const widenedRows = 13;

/**
 * Weights of a plan up to so many bytes are taken to stay in a cache from run to run. There one row takes two panels at once, which hides
 * how long a sum waits for itself; from memory one stream of panels is faster.
 */
const cachedBytes = 12 * 2 ** 20;

/** Bytes of the parameters that matmul reads. */
function weightBytes({ buffers, calls }: Plan): number {
  const read = new Set(calls.flatMap(({ op, inputs }) => (op === 'matmul' ? [inputs[1]!.buffer] : [])));
  return buffers.reduce(
    (sum, b, i) => sum + (b.kind === 'bound' && b.role === 'parameter' && read.has(i) ? b.bytes : 0),
    0,
  );
}

/** Element offset of each matrix of the batch, in row-major order. */
function batchOffsets({ shape, strides }: View): number[] {
  let offsets = [0];
  for (let axis = 0; axis < shape.length - 2; axis++)
    offsets = offsets.flatMap((o) => Array.from({ length: shape[axis]! }, (_, i) => o + i * strides[axis]!));
  return offsets;
}

/** One matrix of a batch. */
const matrix = (view: View, offset: number): View => ({
  ...view,
  offset: view.offset + offset,
  shape: view.shape.slice(-2),
  strides: view.strides.slice(-2),
});

export const matmul: Kernel<Step> = {
  epilogue: true,
  prepare(call, plan) {
    const { inputs, output } = call;
    const [a, b] = inputs;
    if (!a || !b) throw new TypeError('matmul: needs two inputs');
    const [rows, depth] = a.shape.slice(-2) as [number, number];
    const columns = b.shape.at(-1)!;
    const aOffsets = batchOffsets(a);
    const bOffsets = batchOffsets(b);
    const batch = aOffsets.length;
    const stored = storageOf(b, plan);
    if (stored === 'q8' || stored === 'q4') return quantizedStep(call, plan, stored);
    const buffer = plan.buffers[b.buffer]!;
    const packed = buffer.kind === 'bound' && buffer.role === 'parameter';
    const epilogue = compileEpilogue(call, 'f32', plan);
    const edgeAt = epilogue?.scratchBytes ?? 0;
    const width = panelColumns(stored);
    const steps = rows > 2 ? Math.min(depth, blockDepth) : depth;
    // Beside the edge there is room for one panel that is widened.
    const edgeBytes = tileRows * width * 4 + (stored && rows >= widenedRows ? steps * width * 4 : 0);
    const aAt = edgeAt + edgeBytes;
    const bAt = aAt + (a.strides.at(-1) === 1 ? 0 : Math.min(rows, blockRows) * steps * 4);
    const ownPanels = Math.ceil(Math.min(columns, blockColumns) / width);
    const pair = !packed || weightBytes(plan) <= cachedBytes;
    return {
      kernel: 'matmul',
      variant: `${packed ? (stored ?? 'f32') + ' panels' : 'packed as it runs'}, tiles of ${tileShape(rows, columns, pair)}`,
      work: elements(output.shape) * depth,
      scratchBytes: bAt + (packed ? 0 : ownPanels * width * depth * 4),
      parameters(at) {
        const panels = bOffsets.map((o) =>
          packed ? at.panels(matrix(b, o), stored) : { address: at.address(matrix(b, o)), tail: 0 },
        );
        return [
          batch,
          rows,
          columns,
          depth,
          at.block(aOffsets.map((o) => at.address(matrix(a, o)))),
          at.block(panels.map((p) => p.address)),
          at.address(output),
          a.strides.at(-2)! * 4,
          a.strides.at(-1)! * 4,
          b.strides.at(-2)! * 4,
          b.strides.at(-1)! * 4,
          packed ? 1 : 0,
          batch > 1 ? 0 : rows < 4 * tileRows ? 1 : 2,
          epilogue?.place(at) ?? 0,
          at.scratch,
          at.scratchBytes,
          edgeAt,
          aAt,
          bAt,
          formOf(stored),
          at.block(panels.map((p) => p.tail)),
          pair ? 1 : 0,
          steps,
        ];
      },
    };
  },
};
