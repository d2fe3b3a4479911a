import { expect, test } from 'vitest';
import { run } from './testing/terminal.ts';

const commands = ['translate', 'compare', 'generate', 'forward', 'tokenize', 'plan', 'backends', 'bleu', 'demo'];

test('help lists the commands, and every command has help of its own', async () => {
  const { code, stdout, stderr } = await run(['--help']);
  expect(code).toBe(0);
  expect(stderr).toBe('');
  for (const command of commands) {
    expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    const help = await run([command, '--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain(`Usage: transept ${command} [options]`);
    expect(await run(['help', command])).toEqual(help);
  }
});

test.each([
  [[], 'Usage: transept'],
  [['trnslate', 'Hallo'], "transept: unknown command 'trnslate'\n(Did you mean translate?)\n"],
  [['translate', '--beam', '4', 'Hallo'], "transept: unknown option '--beam'\n(Did you mean --beams?)\n"],
  [['translate', '--beams', '1.5', 'Hallo'], 'It must be a whole number from 1 on.'],
  [['translate', '--threads', 'many', 'Hallo'], 'It must be a whole number from 1 on.'],
  [['forward', '--output', 'out'], "transept: required option '--input <file>' not specified"],
  [['backends', 'cpu'], 'too many arguments'],
])('%j is a mistake', async (args, message) => {
  const { code, stdout, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
});

test('an error is one line; --verbose shows where it happened', async () => {
  const args = ['tokenize', 'Hallo', '--model', 'nowhere'];
  const plain = await run(args);
  expect(plain).toMatchObject({ code: 2, stdout: '' });
  expect(plain.stderr).toMatch(/^transept: [^\n]*nowhere[^\n]*\n$/);
  const verbose = await run([...args, '--verbose']);
  expect(verbose.code).toBe(2);
  expect(verbose.stderr).toMatch(/\n {4}at .*\ncaused by: /s);
});
