// What the pages are served from: bundles, the peers' packages, models, and a hub with the models of a folder. Pages are cross-origin
// isolated, and everything but the pages may be cached for as long as they live, as on a site that is made for it.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeModels, madePages, peerPath } from '../peers/installed.ts';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};
const commit = '0123456789abcdef0123456789abcdef01234567';

export interface PageServer extends Disposable {
  readonly url: string;
}

/** `models` is a folder of exports; `/hub/bench/NAME` is each of them as a hub would have it. */
export async function servePages(models: string): Promise<PageServer> {
  const folders: Readonly<Record<string, string>> = {
    // Bundles name the kernels by where they lie beside them.
    js: madePages,
    wasm: fileURLToPath(new URL('../../../packages/cpu-backend/wasm', import.meta.url)),
    packages: peerPath(''),
    made: madeModels,
    models,
    translator: fileURLToPath(new URL('../../../models/marian-de-en', import.meta.url)),
  };
  const answer = (url: string, method: string, response: ServerResponse): void => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://page').pathname));
    if (path === '/')
      return void response
        .writeHead(200, { ...isolated, 'content-type': 'text/html', 'cache-control': 'no-cache' })
        .end('<!doctype html><meta charset="utf-8"><title>bench</title>');
    const hub = /^\/hub\/bench\/([^/]+)\/resolve\/[^/]+\/(.+)$/.exec(path);
    const [, place = '', ...rest] = path.split('/');
    const file = hub ? join(models, hub[1]!, hub[2]!) : folders[place] && join(folders[place], ...rest);
    const isFile = file && existsSync(file) && statSync(file).isFile();
    const headers = { ...isolated, ...(hub && { 'x-repo-commit': commit }), 'cache-control': 'public, max-age=86400' };
    if (!file || !isFile)
      return void response.writeHead(404, { ...headers, ...(hub && { 'x-error-code': 'EntryNotFound' }) }).end();
    const length = statSync(file).size;
    const etag = hub && { etag: `"${createHash('sha1').update(readFileSync(file)).digest('hex')}"` };
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { ...headers, ...etag, 'content-type': type, 'content-length': length });
    if (method === 'HEAD') response.end();
    else createReadStream(file).pipe(response);
  };
  const server = createServer((request, response) => answer(request.url ?? '/', request.method ?? 'GET', response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
