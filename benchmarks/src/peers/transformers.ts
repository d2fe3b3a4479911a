// transformers.js on WebAssembly, as in a page but in this process: its web build, with onnxruntime's plain CPU build in place of the
// slower one that also knows WebGPU. It needs ONNX exports, which only Python can make: a folder with marian-tiny, smol-llama and
// minilm as transformers.js wants them (onnx/*.onnx beside config.json).
import { createServer } from 'node:http';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configs } from '../cpu/models.ts';
import type { Task } from '../cpu/models.ts';
import { now } from '../measure.ts';
import { randomIds } from '../random.ts';
import type { Prepared, Runtime } from '../runtime.ts';
import { importPeer, peerPath, peerVersion } from './installed.ts';

type Tensors = Record<string, { readonly data: ArrayLike<number> }>;
interface Model {
  (inputs: object): Promise<Tensors>;
  generate(options: object): Promise<unknown>;
  dispose(): Promise<unknown>;
}
interface Transformers {
  readonly env: Record<string, unknown> & { backends: { onnx: { wasm: Record<string, unknown> } } };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => unknown;
  readonly [auto: `AutoModel${string}`]: { from_pretrained(name: string, options: object): Promise<Model> };
}

const names = { translator: 'marian-tiny', smollm: 'smol-llama', minilm: 'minilm' } as const;
const classes = { translator: 'AutoModelForSeq2SeqLM', smollm: 'AutoModelForCausalLM', minilm: 'AutoModel' } as const;
const dtypes = { f32: 'fp32', f16: 'fp16', q8: 'q8', q4: 'q4' } as const;

export async function transformers(threads: number, folder: string): Promise<Runtime> {
  const T = await importAsPage();
  const address = await serve(folder);
  Object.assign(T.env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: address });
  Object.assign(T.env, { useBrowserCache: false, useWasmCache: false, useFSCache: false });
  Object.assign(T.env.backends.onnx.wasm, { numThreads: threads, wasmPaths: undefined });
  return {
    name: 'transformers.js (wasm)',
    version: peerVersion('@huggingface/transformers'),
    task: (task) => prepare(T, folder, task),
  };
}

async function prepare(T: Transformers, folder: string, task: Task): Promise<Prepared | undefined> {
  const { model: which, weights, rows, length, tokens, beams } = task;
  const suffix = { f32: '', f16: '_fp16', q8: '_quantized', q4: '_q4' }[weights];
  const file = { translator: 'decoder_model_merged', smollm: 'model', minilm: 'model' }[which];
  if (beams > 1 || !existsSync(join(folder, names[which], 'onnx', `${file}${suffix}.onnx`))) return undefined;
  const options = { dtype: dtypes[weights], device: 'wasm', local_files_only: true };
  const model = await T[classes[which]]!.from_pretrained(names[which], options);
  const vocabulary = configs[which]['vocab_size'] as number;
  const ids = Array.from({ length: rows }, (_, r) => randomIds(r + 1, length, vocabulary)).flat();
  const tensor = (values: readonly number[]): unknown =>
    new T.Tensor('int64', BigInt64Array.from(values, BigInt), [rows, length]);
  const zeros = ids.map(() => 0);
  const inputs = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) };
  const dispose = (): void => void model.dispose();
  if (tokens === 0) {
    const all = { ...inputs, token_type_ids: tensor(zeros) };
    return { run: async () => (await model(all))['last_hidden_state']!.data, dispose };
  }
  let measured = 0;
  return {
    async run() {
      const times: number[] = [];
      // The streamer is given the prompt first.
      const streamer = { put: () => void times.push(now()), end() {} };
      const own = rows === 1 ? { streamer } : {};
      const began = now();
      await model.generate({ ...inputs, ...own, max_new_tokens: tokens, min_new_tokens: tokens, do_sample: false });
      measured = rows === 1 ? ((times.at(-1)! - times[1]!) / (tokens - 1)) * tokens : now() - began;
    },
    measured: () => measured,
    dispose,
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
