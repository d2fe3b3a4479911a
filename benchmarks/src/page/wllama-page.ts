// wllama: llama.cpp as WebAssembly. It starts workers itself, so it runs in the page. It takes texts; the model's vocabulary has a
// token for every letter.
// @ts-expect-error It is no dependency of the workspace; the bundler finds it among the peers.
import { Wllama } from '@wllama/wllama';
import type { Prepared } from '../runtime.ts';
import type { Task } from '../cpu/models.ts';
import { answerWith } from './questions.ts';
import type { Start } from './worker.ts';

interface WllamaInstance {
  loadModel(blobs: readonly Blob[], options: object): Promise<void>;
  createCompletion(options: object): Promise<unknown>;
  exit(): Promise<void>;
}
declare const globalThis: { startWllama(start: Start): Promise<ReturnType<typeof answerWith>> };

const quiet = { debug() {}, log() {}, warn() {}, error() {} };
const files = { q8: 'smollm-q8_0.gguf', q4: 'smollm-q4_0.gguf' };

async function prepare({ threads, packages }: Start, task: Task): Promise<Prepared | undefined> {
  const { model, weights, rows, length, tokens } = task;
  if (model !== 'smollm' || rows > 1 || (weights !== 'q8' && weights !== 'q4')) return undefined;
  const places = { default: `${packages}/@wllama/wllama/esm/wasm/wllama.wasm` };
  const wllama = new Wllama(places, { logger: quiet }) as WllamaInstance;
  const blob = await (await fetch(`/made/${files[weights]}`)).blob();
  const context = { n_ctx: length + tokens + 64, n_threads: threads, n_gpu_layers: 0, n_parallel: 1, warmup: false };
  await wllama.loadModel([blob], context);
  const prompt = Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26))).join('');
  let measured = 0;
  return {
    async run() {
      const times: number[] = [];
      const onData = (): void => void times.push(performance.now());
      // Its prefill takes as long as a sentence; what stands in its cache from the run before may serve again.
      const options = {
        max_tokens: tokens,
        temperature: 0,
        top_k: 1,
        ignore_eos: true,
        cache_prompt: true,
        stream: true,
      };
      await wllama.createCompletion({ prompt, ...options, onData });
      measured = ((performance.now() - times[0]!) / (tokens - 1)) * tokens;
    },
    measured: () => measured,
    dispose: () => wllama.exit(),
  };
}

globalThis.startWllama = async (start) => answerWith({ task: (task) => prepare(start, task) });
