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
    case 'paired-rows':
      return unpaired(values, values.slice(), shape[0]! / arranged.heads, values.length / unitOf(arranged, shape));
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

/** The same for so many units as they are stored, where it only moves rows. Undefined where values have to be known. */
export function undoBytes(
  bytes: Uint8Array<ArrayBuffer>,
  arranged: Arrangement,
  shape: Shape,
  units: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (arranged.kind !== 'paired-rows') return undefined;
  return unpaired(bytes, bytes.slice(), shape[0]! / arranged.heads, units);
}

/** Rows of some heads, of each head the first halves of all pairs and then the second halves. */
function unpaired<A extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  from: A,
  to: A,
  rows: number,
  heads: number,
): A {
  const length = from.length / (heads * rows);
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < rows; row++) {
      const at = (head * rows + row) * length;
      const place = head * rows + (row >> 1) + (row & 1 ? rows / 2 : 0);
      to.set(from.subarray(at, at + length), place * length);
    }
  return to;
}
