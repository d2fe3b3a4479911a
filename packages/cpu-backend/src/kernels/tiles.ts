// The shapes of matmul's tiles, as `assembly/matmul.ts` and `assembly/quantized.ts` choose them.

export const panelColumns = 8;
export const tileRows = 6;

/** Rows of the highest tile: all tiles are of nearly equal height. */
export const tileHeight = (rows: number): number => Math.ceil(rows / Math.max(1, Math.ceil(rows / tileRows)));

/** What `block` in `assembly/matmul.ts` makes of most of the rows and columns. */
export function tileShape(rows: number, columns: number): string {
  const panels = Math.max(1, Math.min(rows === 1 ? 4 : rows === 2 ? 3 : 1, Math.floor(columns / panelColumns)));
  return `${tileHeight(rows)}×${panels * panelColumns}`;
}
