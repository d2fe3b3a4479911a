import { expect, test } from 'vitest';
import { run } from '../testing/terminal.ts';
import { goldenRows } from '../testing/golden.ts';

const rows = goldenRows().slice(0, 5);

test('each line becomes a JSON array of ids, and back', async () => {
  const lines = rows.map(({ source }) => `${source}\n`).join('');
  const encoded = await run(['tokenize'], { stdin: lines });
  expect(encoded).toMatchObject({ code: 0, stderr: '' });
  expect(encoded.stdout).toBe(rows.map(({ input_ids }) => `${JSON.stringify(input_ids)}\n`).join(''));
  const decoded = await run(['tokenize', '--decode', '--input', '-'], { stdin: encoded.stdout });
  expect(decoded).toEqual({ code: 0, stdout: lines, stderr: '' });
});

test('arguments, line ends of Windows, a byte order mark and a missing last line end', async () => {
  const ids = JSON.stringify(rows[0]!.input_ids);
  const { source } = rows[0]!;
  expect((await run(['tokenize', source, source])).stdout).toBe(`${ids}\n${ids}\n`);
  expect((await run(['tokenize'], { stdin: `\uFEFF${source}\r\n${source}` })).stdout).toBe(`${ids}\n${ids}\n`);
});

test('special tokens come and go as asked', async () => {
  const [id] = rows[0]!.input_ids;
  expect((await run(['tokenize', '--no-special-tokens', ''])).stdout).toBe('[]\n');
  expect((await run(['tokenize', ''])).stdout).toBe('[0]\n');
  expect((await run(['tokenize', '--decode', `[${id},0]`])).stdout).toBe('Maria\n');
  expect((await run(['tokenize', '--decode', '--keep-special-tokens', `[${id},0]`])).stdout).toBe('Maria</s>\n');
});

test('JSON strings may contain line ends', async () => {
  const text = JSON.stringify('Maria\nsagte');
  const { stdout } = await run(['tokenize', '--json', text]);
  expect(JSON.parse(stdout)).toEqual([94, 271, 0]);
  expect((await run(['tokenize', '--decode', '--json', stdout.trim()])).stdout).toBe('"Maria sagte"\n');
});

test.each([
  [['--decode', '[1, 6001]'], 'the text has id 6001; this tokenizer has 6001 tokens'],
  [['--decode', '[1, -1]'], 'the text has id -1'],
  [['--decode', '1 2'], 'the text is 1 2; expected a JSON array of ids'],
  [['--decode', '[1.5]'], 'expected a JSON array of ids'],
  [['--decode', ''], 'the text is empty; expected a JSON array of ids'],
  [['--json', 'Hallo'], 'the text is Hallo; expected a JSON string'],
  [['Hallo', '--input', 'file'], 'there are texts and --input file; expected one of them'],
])('%j is refused', async (args, message) => {
  const { code, stdout, stderr } = await run(['tokenize', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
});

test('an error names the line, after the lines before it', async () => {
  const { code, stdout, stderr } = await run(['tokenize', '--decode'], { stdin: '[94]\n[94,\n' });
  expect(code).toBe(2);
  expect(stdout).toBe('Maria\n');
  expect(stderr).toBe('transept: tokenize: line 2 of standard input is [94,; expected a JSON array of ids\n');
});

test('a terminal where nobody types is not waited for', async () => {
  const { code, stderr } = await run(['tokenize'], { interactive: true });
  expect(code).toBe(2);
  expect(stderr).toContain('there is no text; give it as an argument, with --input FILE or on standard input');
});
