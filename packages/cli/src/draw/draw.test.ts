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
