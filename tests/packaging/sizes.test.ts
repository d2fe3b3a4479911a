// What a page downloads to compute on the CPU, compressed: the built JavaScript, not minified, and the largest of the four
// WebAssembly variants, of which a page loads one.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
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
