// Reading and writing rows by number: `gather` for embeddings and positions, `scatter` for caches and gradients.
import { DTypeError, ShapeError } from '../errors.ts';
import type { Tensor } from '../graph.ts';
import type { ScalarRef } from '../plan.ts';
import { formatShape, sameShape } from '../shape.ts';

/** Rows of a table [V, ...R] by index [...I] → [...I, ...R]. An index outside is clamped. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  integers('gather', indices);
  return table.graph.call('gather', [table, indices], {}, [...indices.shape, ...table.shape.slice(1)], table.dtype);
}

/** `count` rows of a table from `start` on, which may be a scalar. */
export const gatherRange = (table: Tensor, start: number | ScalarRef, count: number): Tensor =>
  table.graph.call('gather', [table], { start, count }, [count, ...table.shape.slice(1)], table.dtype);

export interface ScatterOptions {
  /** `set` (default) overwrites, `add` adds to what is there. */
  readonly mode?: 'set' | 'add';
}

/** Write rows [I, ...R] into rows `at` of `target` [V, ...R] in place: at indices [I], or from a start on. Rows outside are dropped. */
export function scatter(
  target: Tensor,
  at: Tensor | number | ScalarRef,
  rows: Tensor,
  { mode = 'set' }: ScatterOptions = {},
): Tensor {
  if (target.dtype !== rows.dtype)
    throw new DTypeError(`scatter: target is ${target.dtype}, rows are ${rows.dtype}; cast them`);
  if (!sameShape(target.shape.slice(1), rows.shape.slice(1)))
    throw new ShapeError(
      `scatter: rows differ: target is ${formatShape(target.shape)}, rows are ${formatShape(rows.shape)}`,
    );
  if (typeof at === 'number' || 'scalar' in at)
    return target.graph.write('scatter', target, [rows], { mode, start: at });
  integers('scatter', at);
  if (!sameShape(at.shape, rows.shape.slice(0, 1)))
    throw new ShapeError(
      `scatter: one index a row: indices are ${formatShape(at.shape)}, rows are ${formatShape(rows.shape)}`,
    );
  return target.graph.write('scatter', target, [rows, at], { mode });
}

function integers(op: string, indices: Tensor): void {
  if (indices.dtype !== 'i32') throw new DTypeError(`${op}: indices are ${indices.dtype}; they must be i32`);
}
