// Compiles assembly/ into the four variants in wasm/: with and without relaxed SIMD, for one thread and for several.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import asc from 'assemblyscript/asc';
import { tilesSource } from './tiles.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const common = [
  'assembly/index.ts',
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  // Constants, behind the words that threads share; `reserved` in src/memory.ts is the end.
  '--memoryBase',
  '640',
  '--lowMemoryLimit',
  '1024',
  '--disableWarning',
  '112',
  '--disableWarning',
  '201',
];
const shared = ['--sharedMemory', '--maximumMemory', '65536'];
const variants = {
  'plain-unshared': ['--enable', 'simd'],
  'plain-shared': ['--enable', 'simd,threads', ...shared],
  'relaxed-unshared': ['--enable', 'simd,relaxed-simd'],
  'relaxed-shared': ['--enable', 'simd,relaxed-simd,threads', ...shared],
};

await mkdir(join(root, 'wasm'), { recursive: true });
await writeFile(join(root, 'wasm/tiles.ts'), tilesSource());
await mkdir(join(root, 'wasm'), { recursive: true });

for (const [name, flags] of Object.entries(variants)) {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([...common, ...flags, '--baseDir', root, '--outFile', `${name}.wasm`], {
    writeFile: (_file, contents) => {
      if (typeof contents !== 'string') binary = contents;
    },
  });
  const messages = stderr.toString();
  if (messages) console.error(messages);
  if (error || !binary) throw new Error(`wasm: ${name} does not compile: ${error?.message ?? 'nothing was written'}`);
  await writeFile(join(root, 'wasm', `${name}.wasm`), binary);
  console.log(`${name}.wasm: ${binary.length} bytes, ${gzipSync(binary).length} gz`);
}
