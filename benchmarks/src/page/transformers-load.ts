// From nothing to the first word with transformers.js, the same way.
// @ts-expect-error It is no dependency of the workspace; the bundler finds it among the peers.
import * as library from '@huggingface/transformers';
import type { LoadCase, LoadTimes } from './load.ts';

interface Translator {
  (text: string, options: object): Promise<unknown>;
  readonly tokenizer: object;
}
interface Library {
  readonly env: Record<string, unknown> & { backends: { onnx: { wasm: Record<string, unknown> } } };
  readonly TextStreamer: new (tokenizer: object, options: object) => object;
  pipeline(task: string, model: string, options: object): Promise<Translator>;
}

export async function firstWord(how: LoadCase): Promise<LoadTimes> {
  const { origin, model, weights, threads, text, wasmPaths } = how;
  const { env, pipeline, TextStreamer } = library as Library;
  const began = performance.now();
  Object.assign(env, { allowRemoteModels: true, allowLocalModels: false, remoteHost: `${origin}/hub/` });
  Object.assign(env.backends.onnx.wasm, { numThreads: threads, wasmPaths, proxy: false });
  const dtype = weights === 'f32' ? 'fp32' : weights;
  const translator = await pipeline('translation', model, { device: 'wasm', dtype });
  const ready = performance.now();
  return new Promise((resolve, reject) => {
    const callback_function = (word: string): void => {
      if (word.trim()) resolve({ word, startMs: 0, loadMs: ready - began, wordMs: performance.now() - ready });
    };
    const streamer = new TextStreamer(translator.tokenizer, { skip_prompt: true, callback_function });
    translator(text, { num_beams: 1, streamer }).catch(reject);
  });
}
