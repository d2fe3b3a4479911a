// Tables as plain text. Columns are as wide as their contents; where that is too wide for the screen, the widest give way and
// their cells wrap between words.
import stringWidth from 'string-width';

export interface TableOptions {
  readonly head: readonly string[];
  /** Columns of the screen. */
  readonly width: number;
  /** Alignment of each column; default left. */
  readonly align?: readonly ('left' | 'right')[];
}

const gap = '  ';
const narrowest = 8;

/** Lines without their ends. */
export function table(rows: readonly (readonly string[])[], { head, width, align = [] }: TableOptions): string[] {
  const widths = head.map((name, c) =>
    rows.reduce((w, row) => Math.max(w, stringWidth(row[c] ?? '')), stringWidth(name)),
  );
  const room = width - gap.length * (head.length - 1);
  while (sum(widths) > room && Math.max(...widths) > narrowest) widths[widths.lastIndexOf(Math.max(...widths))]!--;
  const lines = (row: readonly string[]): string[] => {
    const cells = widths.map((w, c) => wrap(row[c] ?? '', w));
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, i) =>
      cells
        .map((cell, c) => pad(cell[i] ?? '', widths[c]!, align[c]))
        .join(gap)
        .trimEnd(),
    );
  };
  return [...lines(head), widths.map((w) => '─'.repeat(w)).join(gap), ...rows.flatMap(lines)];
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'left' ? text + space : space + text;
}

/** Lines of at most `width` columns, broken between words, and inside of words that are too long. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const character of word) {
      if (stringWidth(line + character) > width && line !== '') {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  return [...lines, line];
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
