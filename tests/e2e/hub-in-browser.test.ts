// The cache of a browser, in a real one: a model of a hub is fetched into the origin's own files, cut off and resumed, found again
// by the next page, listed and deleted. Sources are served as they are, types stripped.
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from 'transept-scripts/chromium.mjs';
import { expect, onTestFinished, test } from 'vitest';
import { hubServer } from '../../packages/checkpoint/src/hub/testing/hub-server.ts';

const packages = join(import.meta.dirname, '..', '..', 'packages');

/** In the page. */
declare const checkpoint: typeof import('@transept/checkpoint');

const page = `<!doctype html><script type="importmap">
  {"imports": {"@transept/tensor": "/tensor/src/index.ts", "@transept/checkpoint": "/checkpoint/src/index.ts"}}
</script><script type="module">
  import * as checkpoint from '@transept/checkpoint';
  globalThis.checkpoint = checkpoint;
</script>`;

/** Modules of the packages, for a page. */
async function serveSources(): Promise<string> {
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    if (path === '/') return void response.writeHead(200, { 'content-type': 'text/html' }).end(page);
    const source = await readFile(join(packages, path), 'utf8').catch(() => undefined);
    if (source === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(stripTypeScriptTypes(source));
  };
  const server = createServer((request, response) => void answer(request.url!, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a browser keeps what it fetched from a hub', async ({ skip }) => {
  const found = await findChromium();
  if (!found) return skip('there is no Chromium on this machine');
  const large = Uint8Array.from({ length: 9_500_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
  await using server = await hubServer('org/model', {
    'config.json': new TextEncoder().encode('{"model_type":"llama"}'),
    'model.bin': large,
  });
  server.faults.answer = (request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', '*');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, range');
    if (request.method !== 'OPTIONS') return false;
    response.writeHead(204).end();
    return true;
  };
  // The page needs a moment to take what was sent.
  server.faults.breakMs = 500;
  const browser = await chromium.launch({ ...found, env: { ...process.env, ...found.env } });
  onTestFinished(() => browser.close());
  const context = await browser.newContext();
  const opened = await context.newPage();
  const ready = (tab = opened): Promise<unknown> => tab.waitForFunction('globalThis.checkpoint');
  const address = await serveSources();
  await opened.goto(address);
  await ready();

  const read = (
    breaks: number[],
    tab = opened,
  ): Promise<{ place: string; config: string; sum: number; error: string }> => {
    server.faults.breaks = breaks;
    server.seen.length = 0;
    return tab.evaluate(async (endpoint) => {
      const { browserCache, hub } = checkpoint;
      const cache = await browserCache();
      const files = hub('org/model', { endpoint, cache, attempts: 2, retryMs: 1 });
      const config = new TextDecoder().decode(await files.read('config.json'));
      try {
        const bytes = await files.read('model.bin');
        return { place: cache.name, config, sum: bytes.reduce((sum, byte) => sum + byte, 0), error: '' };
      } catch (error) {
        return { place: cache.name, config, sum: 0, error: String(error) };
      }
    }, server.endpoint);
  };
  // config.json comes whole, and of the other so much.
  const failed = await read([Infinity, 9_000_000, 0, 0]);
  expect(failed).toMatchObject({ place: 'the origin private file system', config: '{"model_type":"llama"}' });
  expect(failed.error).toMatch(/CheckpointError: hub: the transfer of .*model\.bin broke off 2 times/);

  const sum = large.reduce((total, byte) => total + byte, 0);
  expect(await read([])).toMatchObject({ sum, error: '' });
  // Whole segments of 8 MB were kept.
  expect(server.seen.filter((line) => line.startsWith('GET /cdn/'))).toEqual(['GET /cdn/model.bin bytes=8388608-']);
  await opened.reload();
  await ready();
  expect(await read([])).toMatchObject({ sum });
  expect(server.seen.filter((line) => line.startsWith('GET'))).toEqual([]);

  const models = await opened.evaluate(async () => {
    const { browserCache } = checkpoint;
    const cache = await browserCache();
    const before = await cache.models();
    return { before, removed: await cache.remove('org/model'), after: await cache.models() };
  });
  expect(models).toMatchObject({
    before: [{ repo: 'org/model', files: ['config.json', 'model.bin'] }],
    removed: true,
    after: [],
  });
  expect((models.before[0] as { bytes: number }).bytes).toBeGreaterThan(9_500_000);

  // Two tabs of one origin fetch a file one time.
  const other = await context.newPage();
  await other.goto(address);
  await ready(other);
  expect(await Promise.all([read([]), read([], other)])).toMatchObject([{ sum }, { sum }]);
  expect(server.seen.filter((line) => line.startsWith('GET /cdn/'))).toHaveLength(1);
});
