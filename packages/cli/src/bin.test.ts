// The program itself, in a process of its own.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goldenRows } from './testing/golden.ts';

const program = ['--conditions=@transept/source', join(import.meta.dirname, 'bin.ts')];
const rows = goldenRows().slice(0, 2);

test('standard input to standard output, and nothing else there', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, 'translate', '--beams', '1'], {
    input: rows.map(({ source }) => `${source}\n`).join(''),
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: rows.map(({ greedy_text }) => `${greedy_text}\n`).join(''),
    stderr: '',
  });
});

test('mistakes end with 2', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...program, 'translate', 'Hallo', '--backend', 'gpu'],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^transept: backend: "gpu" is not registered; .*\n$/);
});

test.skipIf(process.platform === 'win32')('Ctrl-C ends with 130, cleanly', async () => {
  const child = spawn(process.execPath, [...program, 'translate', '--backend', 'reference', '--batch', '1']);
  const ended = new Promise((resolve) => child.on('close', resolve));
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  // Standard input stays open: the program waits for more when the signal comes.
  child.stdin.write(`${rows[0]!.source}\n`);
  expect(await ended).toBe(130);
  expect(output).toBe(`${rows[0]!.greedy_text}\n`);
  expect(errors).toBe('');
});

test.skipIf(process.platform === 'win32')('a reader who has seen enough ends it quietly', async () => {
  const command = [process.execPath, ...program, 'tokenize'].map((part) => `'${part}'`).join(' ');
  const shell = spawn('sh', ['-c', `yes Hallo. | ${command} | head -n 1`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  shell.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await new Promise((resolve) => shell.on('close', resolve));
  expect({ stdout, stderr }).toEqual({ stdout: '[3989,2,0]\n', stderr: '' });
});
