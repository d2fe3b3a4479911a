// A matrix as a picture of characters: greys where the screen has them, block characters elsewhere.
import stringWidth from 'string-width';

export interface HeatMapOptions {
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  /** Columns of the screen. */
  readonly width: number;
  /** Has the screen 256 colours? */
  readonly colors: boolean;
}

const blocks = [' ', '░', '▒', '▓', '█'];
/** The greys of the 256 colours, from black to white. */
const firstGrey = 232;
const greys = 24;
const uprightColumns = 2;

/** Lines without their ends. The largest value is the brightest; 0 is dark. */
export function heatMap(values: readonly (readonly number[])[], options: HeatMapOptions): string[] {
  const { columns, rows, width, colors } = options;
  const largest = values.flat().reduce((most, value) => Math.max(most, value), -Infinity);
  const rowLabels = rows.reduce((widest, row) => Math.max(widest, stringWidth(row)), 0);
  const lying = columns.map((column) => Math.max(uprightColumns, stringWidth(column)) + 1);
  // Names lie above their columns where there is room, else they stand on them.
  const lies = rowLabels + 1 + lying.reduce((a, b) => a + b, 0) <= width;
  const widths = lies ? lying : columns.map(() => uprightColumns);
  const left = (text: string): string => `${' '.repeat(rowLabels - stringWidth(text))}${text} `;
  const head = lies
    ? [columns.map((column, c) => column + ' '.repeat(widths[c]! - stringWidth(column))).join('')]
    : standing(columns).map((line) => line.map((character) => character.padEnd(uprightColumns)).join(''));
  const body = values.map((row) => row.map((value, c) => cell(value / largest, widths[c]!, colors)).join(''));
  return [...head.map((line) => left('') + line), ...body.map((line, r) => left(rows[r]!) + line)].map((line) =>
    line.trimEnd(),
  );
}

function cell(share: number, width: number, colors: boolean): string {
  const level = (steps: number): number => Math.min(steps - 1, Math.max(0, Math.round(share * (steps - 1)))) || 0;
  if (!colors) return blocks[level(blocks.length)]!.repeat(width);
  return `\x1b[48;5;${firstGrey + level(greys)}m${' '.repeat(width)}\x1b[0m`;
}

/** The characters of the names, one line for each height, all ending on the last line. */
function standing(names: readonly string[]): string[][] {
  const characters = names.map((name) => [...name]);
  const height = characters.reduce((most, name) => Math.max(most, name.length), 0);
  return Array.from({ length: height }, (_, line) =>
    characters.map((name) => name[line - (height - name.length)] ?? ' '),
  );
}
