// Native runtimes, for orientation: what the machine can do without WebAssembly. Each is left out where it cannot be had.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosenClock } from '../measure.ts';
import type { Runtime } from '../runtime.ts';
import { installLlama } from './installed.ts';
import { remote } from './remote.ts';

export interface NativeOptions {
  readonly threads: number;
  /** A folder with exports of the models. */
  readonly models: string | undefined;
  /** A Python that has ctranslate2. */
  readonly python: string;
}

export const needsModels = 'it takes exports of the models: --models FOLDER';

/** How Node runs the sources. */
const run = ['--conditions=@transept/source', '--no-warnings'];

const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function nativePeers({ threads, models, python }: NativeOptions): Promise<{
  runtimes: Runtime[];
  leftOut: Record<string, string>;
}> {
  const runtimes: Runtime[] = [];
  const leftOut: Record<string, string> = {};
  const add = async (name: string, start: () => Promise<Runtime>): Promise<void> => {
    try {
      runtimes.push(await start());
    } catch (error) {
      leftOut[name] = (error as Error).message;
    }
  };
  await add('transformers.js (native)', async () => {
    if (!models) throw new Error(needsModels);
    const args = [...run, source('transformers-process.ts'), models, String(threads), chosenClock()];
    return remote('transformers.js (native)', process.execPath, args);
  });
  await add('CTranslate2 (native)', async () => {
    if (!models) throw new Error(needsModels);
    const args = [source('ctranslate2-process.py'), join(models, 'marian-tiny'), String(threads)];
    return remote('CTranslate2 (native)', python, args);
  });
  await add('llama.cpp (native)', async () => {
    installLlama();
    const args = [...run, source('llama-process.ts'), String(threads)];
    return remote('llama.cpp (native)', process.execPath, args);
  });
  return { runtimes, leftOut };
}
