// From panels back to rows: the reverse of `assembly/pack.ts`, for the rare times when somebody wants to read a packed parameter.
import type { Storage } from '@transept/tensor';

/** Columns of a panel: rows of the weight that it was made from. */
export const panelColumns = (stored: Storage | undefined): number => (stored === 'q8' || stored === 'q4' ? 8 : 16);

/** A matrix in a buffer: its first `rows` rows lie in panels, the few after them as they were. */
export interface BufferPanels {
  readonly width: number;
  readonly rows: number;
  /** Address of a panel with the rows after them, or 0. */
  readonly tail: number;
  readonly stored: Storage | undefined;
}

/** The bytes as they were before the packing. */
export function unpack(packed: Uint8Array, { width, rows, stored }: BufferPanels): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(packed);
  const size = stored === undefined ? 4 : 2;
  if (stored === 'q8' || stored === 'q4') unpackBlocks(out, packed, width, rows, stored);
  else
    for (let row = 0; row < rows; row++)
      for (let k = 0; k < width; k++) {
        const from = ((row >> 4) * width * 16 + k * 16 + (row & 15)) * size;
        const to = (row * width + k) * size;
        for (let byte = 0; byte < size; byte++) out[to + byte] = packed[from + byte]!;
      }
  return out;
}

function unpackBlocks(out: Uint8Array, packed: Uint8Array, width: number, rows: number, stored: 'q8' | 'q4'): void {
  const [own, panel] = stored === 'q8' ? [34, 272] : [18, 144];
  const blocks = width / 32;
  for (let row = 0; row < rows; row++)
    for (let block = 0; block < blocks; block++) {
      const column = row & 7;
      const from = ((row >> 3) * blocks + block) * panel;
      const to = (row * blocks + block) * own;
      out.set(packed.subarray(from + column * 2, from + column * 2 + 2), to);
      const code = (k: number): number => {
        const at = from + 16 + (k >> 3) * 32 + column * 4 + (k & 1) * 2;
        return ((packed[at]! | (packed[at + 1]! << 8)) >> (((k & 7) >> 1) * 4)) & 15;
      };
      if (stored === 'q8')
        for (let k = 0; k < 32; k++) out[to + 2 + k] = packed[from + 16 + (k >> 1) * 16 + column * 2 + (k & 1)]!;
      else for (let k = 0; k < 16; k++) out[to + 2 + k] = code(k) | (code(k + 16) << 4);
    }
}
