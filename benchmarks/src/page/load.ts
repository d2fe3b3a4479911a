// Page load: from the import of a runtime to the first translated word, in a fresh page whose browser has everything cached.
import type { Browser } from './browser.ts';
import { onnxruntime, onnxruntimeFile } from './build.ts';
import type { Build } from './build.ts';

/** What a page is asked to do. */
export interface LoadCase {
  readonly origin: string;
  readonly model: string;
  readonly weights: 'f32' | 'q8';
  readonly threads: number;
  readonly text: string;
  /** Where onnxruntime finds itself. */
  readonly wasmPaths?: { readonly mjs: string; readonly wasm: string };
}

export interface LoadTimes {
  readonly word: string;
  /** Of the runtime itself, of the model, and from then to the word. */
  readonly startMs: number;
  readonly loadMs: number;
  readonly wordMs: number;
}

/** The times of one page, with that of the import before them and all together. */
export interface PageTimes extends LoadTimes {
  readonly importMs: number;
  readonly totalMs: number;
}

export interface LoadContender {
  readonly name: string;
  /** The module with `firstWord`. */
  readonly script: string;
  readonly weights: LoadCase['weights'];
  readonly build?: Build;
}

export const loadContenders: readonly LoadContender[] = [
  { name: 'Transept f32', script: 'transept-load', weights: 'f32' },
  { name: 'Transept q8', script: 'transept-load', weights: 'q8' },
  { name: 'transformers.js fp32, plain build', script: 'transformers-load-plain', weights: 'f32', build: 'plain' },
  { name: 'transformers.js q8, plain build', script: 'transformers-load-plain', weights: 'q8', build: 'plain' },
  {
    name: 'transformers.js q8, its default build',
    script: 'transformers-load-default',
    weights: 'q8',
    build: 'default',
  },
];

const text = 'Das Wetter ist heute schön.';

/** One page, opened for it and closed again. */
export async function timeLoad(
  browser: Browser,
  origin: string,
  { script, weights, build }: LoadContender,
  threads: number,
): Promise<PageTimes> {
  const page = await browser.open(origin);
  const runtime = build && `${origin}/packages/${onnxruntime()}/dist/${onnxruntimeFile[build]}`;
  const how: LoadCase = {
    origin,
    model: 'bench/marian-de-en',
    weights,
    threads,
    text,
    ...(runtime && { wasmPaths: { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` } }),
  };
  try {
    return await page.evaluate(
      async ([address, how]) => {
        const began = performance.now();
        const { firstWord } = (await import(address)) as { firstWord(how: LoadCase): Promise<LoadTimes> };
        const importMs = performance.now() - began;
        const times = await firstWord(how);
        return { ...times, importMs, totalMs: performance.now() - began };
      },
      [`${origin}/js/${script}.js`, how] as const,
    );
  } finally {
    await page.close();
  }
}
