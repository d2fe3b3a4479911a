// GGUF stores some tensors in another order, or with other values, than the checkpoints they were made from. Each way is plain
// data here, with what undoes it: rows are gathered as they are stored, values are changed in f32.
import { elements, type Shape } from '@transept/tensor';
import type { Block } from './stored.ts';

export type Arrangement =
  /** Each head's rows come as pairs (i, i + half) side by side: the order of rotary positions in llama.cpp. */
  | { readonly kind: 'paired-rows'; readonly heads: number }
  /** Rows and columns are exchanged: the file holds [columns, rows]. */
  | { readonly kind: 'transposed' }
  /** So much was added to each value. */
  | { readonly kind: 'added'; readonly value: number };

/** How many elements have to be there at once to undo it; a tensor is a whole number of such units. */
export function unitOf(arranged: Arrangement | undefined, shape: Shape): number {
  switch (arranged?.kind) {
    case undefined:
    case 'added':
      return 1;
    case 'paired-rows':
      return elements(shape) / arranged.heads;
    case 'transposed':
      return elements(shape);
    default:
      return arranged satisfies never;
  }
}

/** Arrangements that move rows: these are undone some rows at a time. */
export type RowArrangement = Exclude<Arrangement, { readonly kind: 'added' }>;

/** Rows `first` … `last`-1 of whole units of a tensor. */
export interface Rows {
  readonly arranged: RowArrangement;
  readonly shape: Shape;
  readonly first: number;
  readonly last: number;
}

/** Elements of one row. */
export const rowElements = (shape: Shape): number => elements(shape) / shape[0]!;

/**
 * The elements of some rows, as they are stored; of a transposed tensor they are still [columns, rows]. `from` has whole units, and
 * rows of a transposed tensor begin and end with blocks. Fills `to`.
 */
export function gatherRows(
  from: Uint8Array,
  { arranged, shape, first, last }: Rows,
  block: Block,
  to: Uint8Array,
): void {
  const bytesOf = (count: number): number => (count / block.elements) * block.bytes;
  switch (arranged.kind) {
    case 'paired-rows': {
      const rows = shape[0]! / arranged.heads;
      const length = bytesOf(rowElements(shape));
      for (let row = first; row < last; row++) {
        const inHead = row % rows;
        const half = inHead < rows / 2 ? 0 : 1;
        const stored = row - inHead + 2 * (inHead - half * (rows / 2)) + half;
        to.set(from.subarray(stored * length, (stored + 1) * length), (row - first) * length);
      }
      return;
    }
    case 'transposed': {
      const [rows, columns] = shape as [number, number];
      const [all, skipped, length] = [bytesOf(rows), bytesOf(first), bytesOf(last - first)];
      for (let column = 0; column < columns; column++) {
        const at = column * all + skipped;
        to.set(from.subarray(at, at + length), column * length);
      }
      return;
    }
    default:
      arranged satisfies never;
  }
}

/** [columns, rows] to [rows, columns]. */
export function transpose(values: Float32Array, columns: number, out: Float32Array): void {
  const rows = values.length / columns;
  for (let row = 0, o = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[o++] = values[column * rows + row]!;
}
