// What a page downloads, compressed. To compute on the CPU: the built JavaScript, not minified, and the largest of the four WebAssembly
// variants, of which a page loads one. To compute with WebGPU: JavaScript as an application's bundler leaves it, minified, all
// exports included.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'tsup';
import { expect, onTestFinished, test } from 'vitest';
import { root } from './tarballs.ts';

const compressed = (file: string): number => gzipSync(readFileSync(join(root, 'packages', file)), { level: 9 }).length;

test('the CPU backend takes at most 40 kB, and 60 kB with the core', () => {
  const variants = readdirSync(join(root, 'packages/cpu-backend/wasm')).filter((file) => file.endsWith('.wasm'));
  expect(variants).toHaveLength(4);
  const cpu =
    compressed('cpu-backend/dist/index.js') +
    Math.max(...variants.map((file) => compressed(`cpu-backend/wasm/${file}`)));
  expect(cpu).toBeLessThanOrEqual(40_000);
  expect(cpu + compressed('tensor/dist/index.js')).toBeLessThanOrEqual(60_000);
});

test('the WebGPU backend and the core take at most 45 kB', async () => {
  const outDir = mkdtempSync(join(tmpdir(), 'transept-sizes-'));
  onTestFinished(() => rmSync(outDir, { recursive: true }));
  const names = ['tensor', 'webgpu-backend'];
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
  const sizes = names.map((name) => gzipSync(readFileSync(join(outDir, `${name}.js`)), { level: 9 }).length);
  expect(Math.min(...sizes)).toBeGreaterThan(10_000);
  expect(sizes[0]! + sizes[1]!, `${sizes.join(' + ')} bytes`).toBeLessThanOrEqual(45_000);
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
