import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder } from '../testing/folders.ts';
import { goldenRows, llama } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';

const rows = goldenRows().slice(0, 5);
const sources = rows.map(({ source }) => `${source}\n`).join('');
const greedy = rows.map(({ greedy_text }) => `${greedy_text}\n`).join('');
const beams = rows.map(({ beam4_text }) => `${beam4_text}\n`).join('');

test('a text, with the beams of generation_config.json', async () => {
  const { source, beam4_text } = rows[0]!;
  expect(await run(['translate', source])).toEqual({ code: 0, stdout: `${beam4_text}\n`, stderr: '' });
});

test('lines keep their order, whatever goes together', async () => {
  for (const batch of ['1', '3', '16'])
    expect(await run(['translate', '--beams', '1', '--batch', batch], { stdin: sources })).toEqual({
      code: 0,
      stdout: greedy,
      stderr: '',
    });
});

test('from a file to a file', async () => {
  const where = emptyFolder();
  const [input, output] = [join(where, 'in.txt'), join(where, 'out.txt')];
  writeFileSync(input, sources);
  expect(await run(['translate', '--input', input, '--output', output, '--beams', '4'])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect(readFileSync(output, 'utf8')).toBe(beams);
});

test('characters that the model does not know are translated as its unknown piece', async () => {
  const { code, stdout } = await run(['translate', '--beams', '1', 'Tom mag 漢字 und 🦄.']);
  expect(code).toBe(0);
  expect(stdout.trim()).not.toBe('');
});

test.each([
  [[''], '', 'translate: the text is empty; expected a text'],
  [['Hallo', '\t'], '', 'translate: text 2 is empty'],
  [[], '', 'translate: there is no text'],
  [[], 'Hallo\n\nWelt\n', 'translate: line 2 of standard input is empty'],
  [['sehr '.repeat(300)], '', 'translate: the text is too long: it has 301 tokens; this model takes at most 256'],
  [['Hallo', '--model', llama], '', 'has no tokenizer.json; use forward or generate with input_ids'],
  [['--input', 'nowhere.txt'], '', 'input: cannot read nowhere.txt: there is no such file or folder'],
  [['--input', '.'], '', 'input: cannot read .: it is a folder'],
  [
    ['Hallo', '--output', join('no', 'out.txt')],
    '',
    'output: cannot write no/out.txt: there is no such file or folder',
  ],
])('%j < %j', async (args, stdin, message) => {
  const { code, stderr } = await run(['translate', '--threads', '1', '--beams', '1', ...args], { stdin });
  expect(stderr).toContain(message);
  expect(stderr.split('\n')).toHaveLength(2);
  expect(code).toBe(2);
});

test('a wrong line of a file shows before anything is translated', async () => {
  const input = join(emptyFolder(), 'in.txt');
  writeFileSync(input, 'Hallo\n\n');
  const { code, stdout, stderr } = await run(['translate', '--input', input, '--batch', '1']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`line 2 of ${input} is empty`);
});
