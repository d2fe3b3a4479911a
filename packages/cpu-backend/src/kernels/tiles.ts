// The shapes of matmul's tiles, as `assembly/matmul.ts` and `assembly/quantized.ts` choose them.

export const tileRows = 6;
export const blockTileRows = 5;
/** Columns of panels of blocks. */
export const blockPanelColumns = 8;

/** Rows of the highest of `most` rows: all tiles are of nearly equal height. */
export const tileHeight = (rows: number, most: number): number => Math.ceil(rows / Math.max(1, Math.ceil(rows / most)));

/** What `block` in `assembly/matmul.ts` makes of most of the rows and columns; `two`: one row may take two panels at once. */
export function tileShape(rows: number, columns: number, two: boolean): string {
  const width = rows > 2 ? 8 : rows === 1 && two && columns >= 32 ? 32 : 16;
  return `${tileHeight(rows, tileRows)}×${width}`;
}
