// transformers.js in a worker of the page, on WebAssembly.
// @ts-expect-error It is no dependency of the workspace; the bundler finds it among the peers.
import * as library from '@huggingface/transformers';
import { prepareTask } from '../peers/transformers-task.ts';
import type { Transformers } from '../peers/transformers-task.ts';
import { serve } from './worker.ts';

serve(async ({ threads, models, onnxruntime }) => {
  const T = library as Transformers;
  Object.assign(T.env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: models });
  Object.assign(T.env, { useBrowserCache: false, useWasmCache: false });
  const runtime = `${onnxruntime}/dist/ort-wasm-simd-threaded`;
  const wasmPaths = { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` };
  Object.assign(T.env.backends.onnx.wasm, { numThreads: threads, wasmPaths, proxy: false });
  return { task: (task) => prepareTask(T, task) };
});
