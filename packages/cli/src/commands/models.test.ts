import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { hubServer, type HubServer } from '../../../checkpoint/src/hub/testing/hub-server.ts';
import { emptyFolder, writeJson } from '../testing/folders.ts';
import { run } from '../testing/terminal.ts';

const fixtures = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures');
const greedy = (path: string): readonly number[] =>
  (JSON.parse(readFileSync(join(fixtures, path), 'utf8')) as { greedy_ids: number[] }).greedy_ids;
const golden = greedy('stories260k-llama/golden.json');

/** A hub with a model as a folder and as a GGUF file, and an empty cache. */
async function hub(): Promise<HubServer> {
  const folder = join(fixtures, 'stories260k-llama');
  const server = await hubServer('org/stories', {
    'config.json': await readFile(join(folder, 'config.json')),
    'model.safetensors': await readFile(join(folder, 'model.safetensors')),
    'stories-f16.gguf': await readFile(join(fixtures, 'gguf', 'stories260k-f16.gguf')),
    'stories-q8_0.gguf': await readFile(join(fixtures, 'gguf', 'stories260k-q8_0.gguf')),
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  vi.stubEnv('HF_HUB_CACHE', join(emptyFolder(), 'hub'));
  vi.stubEnv('HF_ENDPOINT', server.endpoint);
  onTestFinished(() => void vi.unstubAllEnvs());
  return server;
}

async function generated(model: string, input: object): Promise<{ sequences: number[][]; text: string[] | null }> {
  const file = writeJson(emptyFolder(), 'in.json', {
    ...input,
    options: { max_new_tokens: 200, do_sample: false, eos_token_id: null },
  });
  const { code, stdout, stderr } = await run([
    'generate',
    '--model',
    model,
    '--backend',
    'cpu',
    '--threads',
    '1',
    '--input',
    file,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as { sequences: number[][]; text: string[] | null };
}

test('a model on a hub runs by its name, from the network once and from the cache then', async () => {
  const server = await hub();
  const ids = { input_ids: [[1]] };
  expect((await generated('org/stories', ids)).sequences[0]).toEqual(golden);
  server.seen.length = 0;
  expect((await generated('org/stories@main', ids)).sequences[0]).toEqual(golden);
  expect(server.seen.filter((line) => line.startsWith('GET'))).toEqual([]);
});

test('a GGUF file gives the same 200 tokens, from a folder and from a hub', async () => {
  await hub();
  const ids = { input_ids: [[1]] };
  const f16 = await generated(join(fixtures, 'gguf', 'stories260k-f16.gguf'), ids);
  expect(f16.sequences[0]).toEqual(golden);
  expect(f16.text![0]).toMatch(/^Once upon a time, there was a little girl named Lily\. She loved to play outside/);
  expect(await generated('org/stories/stories-f16.gguf', { text: 'Once' })).toMatchObject({
    sequences: [[...golden, expect.any(Number)]],
  });
  // Weights of 8 bits are another model: from the 115th token on it tells another story.
  const q8 = await generated('org/stories/stories-q8_0.gguf', ids);
  expect(q8.sequences[0]).toEqual(greedy('gguf/stories260k-q8_0.json'));
});

test('the cache is listed and emptied', async () => {
  await hub();
  expect((await run(['models'])).stdout).toMatch(/^no models in .*hub\n$/);
  await run(['tokenize', '--model', 'org/stories/stories-q8_0.gguf', 'Once']);
  const { stdout } = await run(['models']);
  expect(stdout).toMatch(/org\/stories +main +1 +0\.3 MB/);
  const { models } = JSON.parse((await run(['models', '--json'])).stdout) as { models: object[] };
  expect(models).toMatchObject([{ repo: 'org/stories', files: ['stories-q8_0.gguf'] }]);
  expect(await run(['models', '--delete', 'org/other'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/org\/other is not in the cache .*; it has org\/stories/),
  });
  expect((await run(['models', '--delete', 'org/stories'])).stdout).toBe('0.3 MB freed\n');
  expect((await run(['models'])).stdout).toMatch(/^no models/);
});

test('a name that is neither a folder nor on the hub says both', async () => {
  await hub();
  const { code, stderr } = await run(['tokenize', '--model', 'models/mistyped', 'x']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/there is no model models\/mistyped at http:.*; nor is there a folder models\/mistyped here/);
});
