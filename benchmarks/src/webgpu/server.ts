// What the pages of the WebGPU benchmark load: sources of the packages and of the benchmark with their types stripped, the peers'
// packages, and ONNX exports. Cross-origin isolated, which gives peers their threads and everybody a finer clock.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const peers = join(root, 'benchmarks', 'peers', 'node_modules');

const packages = ['tensor', 'tokenizer', 'checkpoint', 'layers', 'models', 'generate', 'webgpu-backend'];

/** The onnxruntime that transformers.js brings along, or the one beside it. */
const onnxruntime = ['@huggingface/transformers/node_modules/onnxruntime-web', 'onnxruntime-web'].find((path) =>
  existsSync(join(peers, path)),
);

const imports = {
  ...Object.fromEntries(packages.map((name) => [`@transept/${name}`, `/packages/${name}/src/index.ts`])),
  transept: '/packages/transept/src/index.ts',
  'onnxruntime-web/webgpu': `/peers/${onnxruntime}/dist/ort.webgpu.min.mjs`,
  'onnxruntime-common': '/peers/onnxruntime-common/dist/esm/index.js',
  '@huggingface/transformers': '/peers/@huggingface/transformers/dist/transformers.web.js',
  '@tensorflow/tfjs-core': '/peers/@tensorflow/tfjs-core/dist/tf-core.fesm.min.js',
  '@tensorflow/tfjs-backend-webgpu': '/peers/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.fesm.min.js',
  '@jax-js/jax': '/peers/@jax-js/jax/dist/index.js',
};

const page = `<!doctype html><meta charset="utf-8"><title>bench</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">import * as bench from '/benchmarks/src/webgpu/page/main.ts'; globalThis.bench = bench;</script>`;

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.ts': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

export interface PageServer extends Disposable {
  readonly url: string;
}

/** `onnx` is a folder of models as transformers.js wants them. */
export async function servePages(onnx: string | undefined): Promise<PageServer> {
  const places: Readonly<Record<string, string | undefined>> = {
    packages: join(root, 'packages'),
    benchmarks: join(root, 'benchmarks'),
    models: join(root, 'models'),
    peers,
    onnx,
  };
  const answer = async (url: string, method: string, response: ServerResponse): Promise<void> => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://page').pathname));
    if (path === '/') return void response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end(page);
    const [, place = '', ...rest] = path.split('/');
    const folder = places[place];
    const file = folder && join(folder, ...rest);
    const found = file && existsSync(file) && statSync(file).isFile();
    if (!found) return void response.writeHead(404, headers).end();
    const type = { ...headers, 'content-type': types[extname(file)] ?? 'application/octet-stream' };
    if (extname(file) === '.ts') {
      const source = stripTypeScriptTypes(await readFile(file, 'utf8'));
      return void response.writeHead(200, type).end(source);
    }
    response.writeHead(200, { ...type, 'content-length': statSync(file).size });
    if (method === 'HEAD') response.end();
    else createReadStream(file).pipe(response);
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '/', request.method ?? 'GET', response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
