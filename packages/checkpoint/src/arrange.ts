// GGUF stores some tensors in another order, or with other values, than the checkpoints they were made from. Each way is plain
// data here, with the function that undoes it on values in f32.
import { elements, type Shape } from '@transept/tensor';

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

/** The values of whole units as the tensor's name means them. May change `values` in place. */
export function undo(
  values: Float32Array<ArrayBuffer>,
  arranged: Arrangement,
  shape: Shape,
): Float32Array<ArrayBuffer> {
  switch (arranged.kind) {
    case 'added':
      for (let i = 0; i < values.length; i++) values[i]! -= arranged.value;
      return values;
    case 'paired-rows': {
      const unit = unitOf(arranged, shape);
      const rows = shape[0]! / arranged.heads;
      const columns = unit / rows;
      const out = new Float32Array(values.length);
      for (let head = 0; head < values.length; head += unit)
        for (let row = 0; row < rows; row++) {
          const from = head + row * columns;
          const to = head + ((row >> 1) + (row & 1 ? rows / 2 : 0)) * columns;
          out.set(values.subarray(from, from + columns), to);
        }
      return out;
    }
    case 'transposed': {
      const [rows, columns] = shape as [number, number];
      const out = new Float32Array(values.length);
      for (let column = 0; column < columns; column++)
        for (let row = 0; row < rows; row++) out[row * columns + column] = values[column * rows + row]!;
      return out;
    }
    default:
      return arranged satisfies never;
  }
}
