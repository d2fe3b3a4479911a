// What a load leaves when something is wrong with its files.
import { fileURLToPath } from 'node:url';
import { blobs, folder } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { reference } from '@transept/tensor';
import { expect, test } from 'vitest';
import { load } from './load.ts';

const llama = (): Files => folder(fileURLToPath(new URL('../../../fixtures/hf/llama', import.meta.url)));

/** The fixture, with some of its files as they should not be. */
const withFiles = (wrong: Readonly<Record<string, string>>): Files => {
  const [files, other] = [
    llama(),
    blobs(Object.fromEntries(Object.entries(wrong).map(([k, v]) => [k, new Blob([v])]))),
  ];
  const of = (path: string): Files => (path in wrong ? other : files);
  return {
    ...files,
    has: (path, options) => of(path).has(path, options),
    size: (path, options) => of(path).size(path, options),
    read: (path, options) => of(path).read(path, options),
  };
};

test.each([
  ['the tokenizer', { 'tokenizer.json': '{"model": 1}' }, /tokenizer\.json/],
  ['the configuration', { 'config.json': '{"model_type": "llama"' }, /config\.json/],
  [
    'generation_config.json and the configuration',
    { 'generation_config.json': '[', 'config.json': '[' },
    /generation_config/,
  ],
])('with something wrong with %s it says what, and leaves nothing on the device', async (_, wrong, what) => {
  const backend = reference();
  await expect(load(withFiles(wrong), { backend })).rejects.toThrow(what);
  expect(backend.memory.bytes).toBe(0);
});
