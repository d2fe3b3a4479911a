import { expect, test } from 'vitest';
import { copyModel } from '../testing/folders.ts';
import { llama, recorded } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

test('the programs of an encoder-decoder, from config.json alone', async () => {
  const model = copyModel();
  rmSync(join(model, 'model.safetensors'));
  const { code, stdout, stderr } = await run(['plan', '--model', model, '--rows', '2', '--length', '24']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.match(/^plan .*$/gm)).toEqual([
    expect.stringMatching(/^plan "marian encoder" for cpu: \d+ calls$/),
    expect.stringMatching(/^plan "marian step" for cpu: \d+ calls$/),
  ]);
  expect(stdout).toMatch(/^ {2}input +i32 \[2, 24\] +ids$/m);
});

test('what was decomposed and why, and what was fused', async () => {
  const { stdout } = await run(['plan', '--backend', 'reference']);
  expect(stdout).toMatch(/^ {2}decomposed layerNorm in .+: .+$/m);
  expect(stdout).toMatch(/^ {2}fused /m);
});

test('the programs of a decoder by itself', async () => {
  const { code, stdout } = await run(['plan', '--model', llama, '--backend', 'reference']);
  expect(code).toBe(0);
  expect(stdout.match(/^plan ".*"/gm)).toEqual(['plan "llama prompt"', 'plan "llama step"']);
});

test('a length beyond the positions of the model', async () => {
  const { code, stderr } = await run(['plan', '--length', '257']);
  expect(code).toBe(2);
  expect(stderr).toBe('transept: plan: --length is 257; this model takes at most 256\n');
});

test('models that only encode, or hear', async () => {
  for (const name of ['bert-qa', 'vit', 'whisper']) {
    const { code, stdout } = await run(['plan', '--model', recorded(name), '--backend', 'reference']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^plan "(bert|vit|whisper) encoder" for reference: \d+ calls\n/);
  }
});
