// Compiles assembly/ into the variants in wasm/: with and without relaxed SIMD, for one thread and for several, with 32-bit
// addresses and, as `-wide`, with 64-bit ones.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import asc from 'assemblyscript/asc';
import type { Transform } from 'assemblyscript/transform';
import { tilesSource } from './tiles.ts';
import { WideMemory } from './wide-memory.ts';

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
const pages = { narrow: 65536, wide: 262144 };
const variants = (['plain', 'relaxed'] as const).flatMap((simd) =>
  (['unshared', 'shared'] as const).flatMap((sharing) =>
    (['narrow', 'wide'] as const).map((width) => {
      const features = ['simd'];
      if (simd === 'relaxed') features.push('relaxed-simd');
      if (sharing === 'shared') features.push('threads');
      if (width === 'wide') features.push('memory64');
      return {
        name: `${simd}-${sharing}${width === 'wide' ? '-wide' : ''}`,
        flags: [
          ...['--enable', features.join()],
          ...(sharing === 'shared' ? ['--sharedMemory', '--maximumMemory', String(pages[width])] : []),
        ],
        // A class: the compiler makes the object.
        transforms: width === 'wide' ? [WideMemory as unknown as Transform] : [],
      };
    }),
  ),
);

await mkdir(join(root, 'wasm'), { recursive: true });
await writeFile(join(root, 'wasm/tiles.ts'), tilesSource());

for (const { name, flags, transforms } of variants) {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([...common, ...flags, '--baseDir', root, '--outFile', `${name}.wasm`], {
    transforms,
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
