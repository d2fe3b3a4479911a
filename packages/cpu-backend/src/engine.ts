// One WebAssembly memory with the kernels instantiated over it: on this thread, and on helper threads where there are any.
import { BackendError } from '@transept/tensor';
import { createMemory, Heap, pageBytes } from './memory.ts';
import { createHelpers } from './threads.ts';
import type { Helpers } from './threads.ts';
import { compileVariant } from './variants.ts';
import type { Simd } from './variants.ts';

/** What the WebAssembly module exports to JavaScript. */
export interface KernelExports {
  run(program: number | bigint): void;
  setMaySleep(may: boolean): void;
  work(thread: number): void;
}

export interface Engine {
  readonly heap: Heap;
  readonly exports: KernelExports;
  readonly helpers: Helpers | undefined;
}

/** What addresses of 32 bits reach. */
export const narrowBytes = 2 ** 32;
const initialPages = 16;

/** Memory that may grow to `maxBytes`, or as far as the platform reserves address space for. */
function createHeap(maxBytes: number, shared: boolean, wide: boolean): Heap {
  let maximum = Math.floor(maxBytes / pageBytes);
  for (;;) {
    try {
      return new Heap(createMemory(Math.min(initialPages, maximum), maximum, shared, wide), maximum * pageBytes, wide);
    } catch (cause) {
      if (maximum <= initialPages)
        throw new BackendError(`cpu: no memory: the platform refuses ${maximum * pageBytes} bytes`, { cause });
      maximum = Math.max(initialPages, maximum >> 1);
    }
  }
}

/** Compile a variant and start it with `threads` threads in all; more than one needs shared memory. */
export async function createEngine(simd: Simd, threads: number, maxBytes: number): Promise<Engine> {
  const shared = threads > 1;
  const wide = maxBytes > narrowBytes;
  const compiled = compileVariant({ simd, shared, wide });
  const heap = createHeap(maxBytes, shared, wide);
  const { memory } = heap;
  const [instance, helpers] = await Promise.all([
    compiled.then((module) => WebAssembly.instantiate(module, { env: { memory } })),
    shared
      ? createHelpers(
          compiled.then((module) => ({ module, memory })),
          threads - 1,
        )
      : undefined,
  ]);
  const exports = instance.exports as unknown as KernelExports;
  exports.setMaySleep(helpers?.mainMaySleep ?? false);
  return { heap, exports, helpers };
}
