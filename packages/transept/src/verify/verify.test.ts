// Where the files of a verification come from.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { blobs, folder } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { reference } from '@transept/tensor';
import { expect, test } from 'vitest';
import { verify } from './verify.ts';

const llama = fileURLToPath(new URL('../../../../fixtures/hf/llama/', import.meta.url));
const only = ({ name }: { readonly name: string }): boolean => name === 'fwd';

/** A server of the folder, without a network. */
function served(): { readonly asked: string[]; fetch(url: string): Promise<Response> } {
  const asked: string[] = [];
  return {
    asked,
    async fetch(url) {
      const name = url.slice(url.lastIndexOf('/') + 1);
      asked.push(name);
      const bytes = await readFile(`${llama}${name}`).catch(() => undefined);
      if (!bytes) return new Response(null, { status: 404 });
      return new Response(new Uint8Array(bytes), { headers: { 'content-length': String(bytes.length) } });
    },
  };
}

test('the files are asked for as the options say', async () => {
  const { asked, fetch } = served();
  using backend = reference();
  const { calls } = await verify('https://example.org/llama', { backend, fetch, only });
  expect(calls.map(({ name, verdict }) => [name, verdict])).toEqual([['fwd', 'passed']]);
  expect(asked).toContain('golden.safetensors');
});

test('a verification that is cancelled asks for nothing', async () => {
  const { asked, fetch } = served();
  using backend = reference();
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(verify('https://example.org/x.gguf', { backend, fetch, signal })).rejects.toThrow('enough');
  expect(asked).toEqual([]);
});

test('with another config.json, too, files are known to be what they should be', async () => {
  using backend = reference();
  let asked = 0;
  const files: Files = { ...folder(llama), verified: async () => void asked++ };
  await verify(files, { backend, only, config: 'config.legacy.json' });
  expect(asked).toBe(1);
});

test('of an output that is a list of nothing, nothing is compared', async () => {
  using backend = reference();
  const golden = JSON.parse(await readFile(`${llama}golden.json`, 'utf8')) as { calls: { outputs: object }[] };
  const call = golden.calls.find((c) => only(c as never))!;
  const calls = [{ ...call, outputs: { ...call.outputs, attentions: [] } }];
  const blob = async (name: string): Promise<Blob> => new Blob([await readFile(`${llama}${name}`)]);
  const goldenFiles = blobs({
    'golden.json': new Blob([JSON.stringify({ ...golden, calls })]),
    'golden.safetensors': await blob('golden.safetensors'),
  });
  const report = await verify(llama, { backend, only, goldenFiles });
  expect(report.calls[0]!.verdict).toBe('passed');
  expect(report.calls[0]!.outputs).toContainEqual({ name: 'attentions', verdict: 'unsupported' });
});
