// One WebAssembly memory with the kernels instantiated over it: on this thread, and on helper threads where there are any.
import { BackendError } from '@transept/tensor';
import { Heap } from './memory.ts';
import { createHelpers } from './threads.ts';
import type { Helpers } from './threads.ts';
import { compileVariant } from './variants.ts';
import type { Simd } from './variants.ts';

/** What the WebAssembly module exports to JavaScript. */
export interface KernelExports {
  run(program: number): void;
  setMaySleep(may: boolean): void;
  work(thread: number): void;
}

export interface Engine {
  readonly heap: Heap;
  readonly exports: KernelExports;
  readonly helpers: Helpers | undefined;
}

const pageBytes = 65536;
const initialPages = 16;

/** Memory that may grow to `maxBytes`, or as far as the platform reserves address space for. */
function createMemory(maxBytes: number, shared: boolean): WebAssembly.Memory {
  let maximum = Math.floor(maxBytes / pageBytes);
  for (;;) {
    try {
      return new WebAssembly.Memory({ initial: Math.min(initialPages, maximum), maximum, shared });
    } catch (cause) {
      if (maximum <= initialPages)
        throw new BackendError(`cpu: no memory: the platform refuses ${maximum * pageBytes} bytes`, { cause });
      maximum = Math.max(initialPages, maximum >> 1);
    }
  }
}

/** Compile a variant and start it with `threads` threads in all; more than one needs shared memory. */
export async function createEngine(simd: Simd, threads: number, maxBytes: number): Promise<Engine> {
  const module = await compileVariant(simd, threads > 1);
  const memory = createMemory(maxBytes, threads > 1);
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as KernelExports;
  const heap = new Heap(memory, maxBytes);
  const helpers = threads > 1 ? await createHelpers(module, memory, threads - 1) : undefined;
  exports.setMaySleep(helpers?.mainMaySleep ?? false);
  return { heap, exports, helpers };
}
