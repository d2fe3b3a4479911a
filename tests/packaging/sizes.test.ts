// What a page downloads, compressed: JavaScript as an application's bundler leaves it, minified, all exports included. To compute on the
// CPU also the largest of the WebAssembly variants, of which a page loads one.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'tsup';
import { expect, onTestFinished, test } from 'vitest';
import { root } from './tarballs.ts';

const compressed = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length;

/** Compressed bytes of some packages, each by itself. */
async function minified(names: readonly string[]): Promise<number[]> {
  const outDir = mkdtempSync(join(tmpdir(), 'transept-sizes-'));
  onTestFinished(() => rmSync(outDir, { recursive: true }));
  await build({
    entry: Object.fromEntries(names.map((name) => [name, join(root, 'packages', name, 'src/index.ts')])),
    outDir,
    config: false,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    external: [/^@transept\//],
    minify: true,
    silent: true,
  });
  const sizes = names.map((name) => compressed(join(outDir, `${name}.js`)));
  expect(Math.min(...sizes)).toBeGreaterThan(10_000);
  return sizes;
}

test('the CPU backend takes at most 40 kB, and 60 kB with the core', async () => {
  const folder = join(root, 'packages/cpu-backend/wasm');
  const variants = readdirSync(folder).filter((file) => file.endsWith('.wasm'));
  expect(variants).toHaveLength(8);
  const [core, backend] = (await minified(['tensor', 'cpu-backend'])) as [number, number];
  const kernels = Math.max(...variants.map((file) => compressed(join(folder, file))));
  expect(backend + kernels, `${backend} + ${kernels} bytes`).toBeLessThanOrEqual(40_000);
  expect(core + backend + kernels, `${core} + ${backend} + ${kernels} bytes`).toBeLessThanOrEqual(60_000);
});

test('the WebGPU backend and the core take at most 45 kB', async () => {
  const [core, backend] = (await minified(['tensor', 'webgpu-backend'])) as [number, number];
  expect(core + backend, `${core} + ${backend} bytes`).toBeLessThanOrEqual(45_000);
});

test('Tokenizer takes at most 14 kB, beside what only some files need', async () => {
  const outDir = mkdtempSync(join(tmpdir(), 'transept-sizes-'));
  onTestFinished(() => rmSync(outDir, { recursive: true }));
  await build({
    entry: { tokenizer: join(root, 'packages/tokenizer/src/tokenizer.ts') },
    outDir,
    config: false,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    external: [/^@huggingface\//],
    minify: true,
    silent: true,
  });
  const loaded = new Map<string, number>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    const code = readFileSync(join(outDir, name));
    loaded.set(name, gzipSync(code, { level: 9 }).length);
    for (const [, file] of code.toString().matchAll(/(?:from|import)"\.\/([^"]+)"/g)) load(file!);
  };
  load('tokenizer.js');
  const bytes = [...loaded.values()].reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThanOrEqual(14_000);
  expect(readdirSync(outDir).some((file) => file.startsWith('expression-') && !loaded.has(file))).toBe(true);
});
