// Which of the WebAssembly variants this engine can run, and getting one compiled.
import { BackendError } from '@transept/tensor';

export type Simd = 'relaxed' | 'plain';

/** Can the engine compile a module with one function of this body? */
function validates(body: readonly number[]): boolean {
  const code = [0x00, ...body, 0x1a, 0x0b];
  return WebAssembly.validate(
    // prettier-ignore
    new Uint8Array([
      0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
      0x01, 0x04, 0x01, 0x60, 0x00, 0x00, // one type: () → ()
      0x03, 0x02, 0x01, 0x00, // one function of it
      0x0a, code.length + 2, 0x01, code.length, ...code,
    ]),
  );
}

const zero = [0x41, 0x00, 0xfd, 0x0f]; // i8x16.splat(i32.const 0)

/** The best the engine has: relaxed SIMD, plain SIMD or nothing. */
export function detectSimd(): Simd | undefined {
  if (validates([...zero, ...zero, ...zero, 0xfd, 0x85, 0x02])) return 'relaxed'; // f32x4.relaxed_madd
  if (validates(zero)) return 'plain';
  return undefined;
}

/** Does the engine know memory with 64-bit addresses? */
export const detectWide = (): boolean =>
  WebAssembly.validate(
    // prettier-ignore
    new Uint8Array([
      0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
      0x05, 0x03, 0x01, 0x04, 0x00, // one memory with 64-bit addresses, of no pages
    ]),
  );

export interface Variant {
  readonly simd: Simd;
  /** Over memory that threads share. */
  readonly shared: boolean;
  /** With 64-bit addresses. */
  readonly wide: boolean;
}

/** Where a variant lies. Literals, so that bundlers find the files. */
function locate({ simd, shared, wide }: Variant): URL {
  const places = {
    'plain-unshared': new URL('../wasm/plain-unshared.wasm', import.meta.url),
    'plain-unshared-wide': new URL('../wasm/plain-unshared-wide.wasm', import.meta.url),
    'plain-shared': new URL('../wasm/plain-shared.wasm', import.meta.url),
    'plain-shared-wide': new URL('../wasm/plain-shared-wide.wasm', import.meta.url),
    'relaxed-unshared': new URL('../wasm/relaxed-unshared.wasm', import.meta.url),
    'relaxed-unshared-wide': new URL('../wasm/relaxed-unshared-wide.wasm', import.meta.url),
    'relaxed-shared': new URL('../wasm/relaxed-shared.wasm', import.meta.url),
    'relaxed-shared-wide': new URL('../wasm/relaxed-shared-wide.wasm', import.meta.url),
  };
  return places[`${simd}-${shared ? 'shared' : 'unshared'}${wide ? '-wide' : ''}`];
}

interface NodeProcess {
  getBuiltinModule?(name: 'node:fs'): { promises: { readFile(path: URL): Promise<Uint8Array<ArrayBuffer>> } };
}

/** Compile one variant: from disk where the URL is a file, else streamed. */
export async function compileVariant(variant: Variant): Promise<WebAssembly.Module> {
  const url = locate(variant);
  try {
    if (url.protocol === 'file:') {
      const { process } = globalThis as { process?: NodeProcess };
      const fs = process?.getBuiltinModule?.('node:fs');
      if (!fs) throw new Error('files can only be read in Node, Deno or Bun');
      return await WebAssembly.compile(await fs.promises.readFile(url));
    }
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    // Streaming wants the type application/wasm, which not every server sends.
    if (response.headers.get('content-type')?.startsWith('application/wasm'))
      return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    throw new BackendError(`cpu: the kernels cannot be loaded from ${url.href}: ${String(cause)}`, { cause });
  }
}
