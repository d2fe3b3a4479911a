// Runtimes in pages: each in a page of its own, asked by the questions of `peers/remote.ts`.
import type { Page } from 'playwright-core';
import { ggufModel } from '../gguf-model.ts';
import { answering } from '../peers/remote.ts';
import type { Answer, Question } from '../peers/remote.ts';
import { peerVersion } from '../peers/installed.ts';
import type { Runtime } from '../runtime.ts';
import type { Browser } from './browser.ts';
import { onnxruntime } from './build.ts';
import type { Start } from './worker.ts';

/** In the page. */
declare const globalThis: {
  ask(question: Question): Promise<Answer>;
  startWllama(start: Start): Promise<(question: Question) => Promise<Answer>>;
};

export interface PageOptions {
  readonly browser: Browser;
  readonly origin: string;
  readonly threads: number;
}

/** Runs in the page: starts a worker and makes `ask` of it. Answers what went wrong. */
const startWorker = async ([address, start]: readonly [string, Start]): Promise<string | undefined> => {
  const worker = new Worker(address, { type: 'module' });
  const ask = (message: unknown): Promise<Answer> =>
    new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data as Answer);
      worker.onerror = ({ message }) => resolve({ error: `worker: ${message}` });
      worker.postMessage(message);
    });
  globalThis.ask = ask;
  return (await ask(start)).error;
};

const startHere = async ([address, start]: readonly [string, Start]): Promise<string | undefined> => {
  await import(address);
  globalThis.ask = await globalThis.startWllama(start);
  return undefined;
};

export const transeptPage = (options: PageOptions): Promise<Runtime> =>
  runtimeOf('Transept', 'this checkout', 'transept-worker', startWorker, options);

export const transformersPage = (options: PageOptions): Promise<Runtime> =>
  runtimeOf('transformers.js', peerVersion('@huggingface/transformers'), 'transformers-worker', startWorker, options);

export function wllamaPage(options: PageOptions): Promise<Runtime> {
  for (const weights of ['q8', 'q4'] as const) ggufModel(weights);
  return runtimeOf('wllama', peerVersion('@wllama/wllama'), 'wllama', startHere, options);
}

async function runtimeOf(
  name: string,
  version: string,
  script: string,
  start: typeof startWorker,
  { browser, origin, threads }: PageOptions,
): Promise<Runtime> {
  const page: Page = await browser.open(origin);
  const packages = `${origin}/packages`;
  const how: Start = { threads, models: `${origin}/models/`, packages, onnxruntime: `${packages}/${onnxruntime()}` };
  const wrong = await page.evaluate(start, [`${origin}/js/${script}.js`, how] as const);
  if (wrong) throw new Error(`bench: ${name} does not start: ${wrong}`);
  const ask = (question: Question): Promise<Answer> => page.evaluate((asked) => globalThis.ask(asked), question);
  return answering(name, version, ask, () => page.close());
}
