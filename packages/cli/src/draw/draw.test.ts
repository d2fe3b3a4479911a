import { expect, test } from 'vitest';
import { heatMap } from './heat-map.ts';
import { table, wrap } from './table.ts';

test('a table as wide as its contents', () => {
  const rows = [
    ['cpu', '3.5 ms'],
    ['Größe 漢字', '120 ms'],
  ];
  expect(table(rows, { head: ['name', 'time'], width: 80, align: ['left', 'right'] })).toEqual([
    'name          time',
    '──────────  ──────',
    'cpu         3.5 ms',
    'Größe 漢字  120 ms',
  ]);
});

test('a table and a heat map may have more values than a call takes arguments', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => [String(i)]);
  expect(table(rows, { head: ['n'], width: 80 }).at(-1)).toBe('199999');
  const values = Array.from({ length: 500 }, () => new Array<number>(500).fill(0.5));
  const names = values.map((_, i) => String(i));
  expect(heatMap(values, { columns: names, rows: names, width: 80, colors: false }).at(-1)).toMatch(/^499 █+$/);
});

test('where there is no room, the widest columns wrap', () => {
  const lines = table([['1', 'the quick brown fox', 'jumps over']], { head: ['', 'a', 'b'], width: 22 });
  expect(lines).toEqual(['   a          b', '─  ─────────  ────────', '1  the quick  jumps', '   brown fox  over']);
});

test('words that are too long are broken', () => {
  expect(wrap('ab cdefgh ij', 4)).toEqual(['ab', 'cdef', 'gh', 'ij']);
  expect(wrap('', 4)).toEqual(['']);
});

test('a heat map of block characters, with the names above', () => {
  const options = { columns: ['das', 'ist'], rows: ['this', 'is'], width: 80, colors: false };
  expect(
    heatMap(
      [
        [1, 0.25],
        [0, 0.5],
      ],
      options,
    ),
  ).toEqual(['     das ist', 'this ████░░░░', '  is     ▒▒▒▒']);
});

test('in greys where there are colours, with standing names where there is no room', () => {
  const options = { columns: ['das', 'ist'], rows: ['x', 'y'], width: 8, colors: true };
  expect(
    heatMap(
      [
        [1, 0],
        [0, 0.5],
      ],
      options,
    ),
  ).toEqual([
    '  d i',
    '  a s',
    '  s t',
    'x \x1b[48;5;255m  \x1b[0m\x1b[48;5;232m  \x1b[0m',
    'y \x1b[48;5;232m  \x1b[0m\x1b[48;5;244m  \x1b[0m',
  ]);
});

test('nothing but zeros and values that are no numbers are dark', () => {
  expect(heatMap([[0, NaN]], { columns: ['a', 'b'], rows: ['r'], width: 80, colors: false })).toEqual(['  a  b', 'r']);
});
