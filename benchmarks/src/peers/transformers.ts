// transformers.js on WebAssembly, as in a page but in this process: its web build, with onnxruntime's plain CPU build in place of the
// slower one that also knows WebGPU. It needs ONNX exports, which only Python can make: a folder with marian-tiny, smol-llama and
// minilm as transformers.js wants them (onnx/*.onnx beside config.json).
import { createServer } from 'node:http';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Runtime } from '../runtime.ts';
import { importPeer, peerPath, peerVersion } from './installed.ts';
import { fileOf, prepareTask } from './transformers-task.ts';
import type { Transformers } from './transformers-task.ts';

export async function transformers(threads: number, folder: string): Promise<Runtime> {
  const T = await importAsPage();
  const address = await serve(folder);
  Object.assign(T.env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: address });
  Object.assign(T.env, { useBrowserCache: false, useWasmCache: false, useFSCache: false });
  Object.assign(T.env.backends.onnx.wasm, { numThreads: threads, wasmPaths: undefined });
  return {
    name: 'transformers.js (wasm)',
    version: peerVersion('@huggingface/transformers'),
    task: async (task) => (existsSync(join(folder, fileOf(task))) ? prepareTask(T, task) : undefined),
  };
}

/** The web build. It chooses by what the process says it is, and imports onnxruntime under a name that Node resolves otherwise. */
async function importAsPage(): Promise<Transformers> {
  const nested = peerPath('@huggingface/transformers/node_modules/onnxruntime-web/dist/ort.node.min.mjs');
  const plain = existsSync(nested) ? nested : peerPath('onnxruntime-web/dist/ort.node.min.mjs');
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === 'onnxruntime-web/webgpu' ? pathToFileURL(plain).href : specifier, context),
  });
  const { release } = process;
  Object.defineProperty(process, 'release', { value: { name: 'page' }, configurable: true });
  try {
    return await importPeer<Transformers>('@huggingface/transformers/dist/transformers.web.js');
  } finally {
    Object.defineProperty(process, 'release', { value: release, configurable: true });
  }
}

async function serve(folder: string): Promise<string> {
  const server = createServer((request, response) => {
    const path = join(folder, normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://page').pathname)));
    const size = existsSync(path) && statSync(path).isFile() ? statSync(path).size : -1;
    if (size < 0) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': size });
    if (request.method === 'HEAD') response.end();
    else createReadStream(path).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Timing blocks this process for longer than connections are kept by default.
  server.keepAliveTimeout = 0;
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
