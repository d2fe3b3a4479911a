import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder } from '../testing/folders.ts';
import { goldenRows } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';

const rows = goldenRows().slice(0, 8);
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

function files(contents: Readonly<Record<string, string>>): (name: string) => string {
  const folder = emptyFolder();
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content);
  return (name) => join(folder, name);
}

test('the scores of given translations, and the same when they are made first', async () => {
  const at = files({
    source: text(rows.map(({ source }) => source)),
    references: text(rows.map(({ reference }) => reference)),
    hypotheses: text(rows.map(({ greedy_text }) => greedy_text)),
  });
  const given = await run(['bleu', '--hypotheses', at('hypotheses'), '--references', at('references'), '--json']);
  expect(given).toMatchObject({ code: 0, stderr: '' });
  const { bleu, chrf, lines } = JSON.parse(given.stdout) as { bleu: { score: number }; chrf: number; lines: number };
  expect(lines).toBe(8);
  expect(bleu.score).toBeGreaterThan(20);
  expect(bleu.score).toBeLessThan(80);
  expect(chrf).toBeGreaterThan(40);
  const args = ['--source', at('source'), '--references', at('references'), '--beams', '1'];
  expect(await run(['bleu', ...args, '--json'])).toEqual(given);
});

test('translations that are their references', async () => {
  const at = files({ same: 'This is the very same sentence.\n' });
  const { stdout } = await run(['bleu', '--hypotheses', at('same'), '--references', at('same')]);
  expect(stdout).toBe('BLEU 100.00 (100.0/100.0/100.0/100.0, brevity penalty 1.000)  chrF 100.00  over 1 lines\n');
});

test.each([
  [['--references', 'two'], 'expected either --hypotheses or --source'],
  [['--references', 'two', '--hypotheses', 'two', '--source', 'two'], 'expected either --hypotheses or --source'],
  [['--references', 'two', '--hypotheses', 'one'], 'has 1 lines, '],
  [['--references', 'none', '--hypotheses', 'none'], 'has no lines; expected at least one'],
  [['--references', 'two', '--source', 'two', '--threads', '1'], 'line 2 of '],
  [['--references', 'missing', '--source', 'two'], 'there is no such file or folder'],
])('%j', async (args, message) => {
  const at = files({ two: 'a\n\n', one: 'a\n', none: '' });
  const { code, stdout, stderr } = await run(['bleu', ...args.map((arg) => (/^[a-z]{3,}$/.test(arg) ? at(arg) : arg))]);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
