// What is published works by itself: packed, installed into an empty folder, used there from its built files.
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installPacked, publishedPackages, readManifest, root, runModule, typecheckModule } from './tarballs.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'transept-packed-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the packages install together, and each says truly what it contains', () => {
  const names = [...publishedPackages().keys()];
  installPacked(names, folder);
  for (const name of names) {
    const installed = join(folder, 'node_modules', name);
    const { version, exports = {}, bin = {}, dependencies = {} } = readManifest(installed);
    const promised = [...Object.values(exports).flatMap(publishedFiles), ...Object.values(bin)];
    expect(promised, `${name} exports something`).not.toEqual([]);
    for (const file of promised) expect(existsSync(join(installed, file)), `${name} contains ${file}`).toBe(true);
    expect(readdirSync(installed), name).toContain('LICENSE');
    for (const [dependency, range] of Object.entries(dependencies)) {
      expect(names, `${name} depends on nothing foreign`).toContain(dependency);
      expect(range, `${name} → ${dependency}`).toBe(`^${version}`);
    }
  }
  const entries = names.flatMap((name) => entryPoints(name, readManifest(join(folder, 'node_modules', name)).exports));
  const imports = entries.map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)};`);
  const counts = entries.map((entry, index) => `${JSON.stringify(entry)}: Object.keys(entry${index}).length`);
  const counted = JSON.parse(runModule(`${imports.join('\n')}\nconsole.log(JSON.stringify({ ${counts} }))`, folder));
  for (const entry of entries) expect(counted[entry], `${entry} exports values`).toBeGreaterThan(0);
  typecheckModule(`${imports.join('\n')}\nexport const entries = [${entries.map((_, i) => `entry${i}`)}];`, folder);
});

/** The files that one line of "exports" promises to users; our own condition points to sources, which are not packed. */
function publishedFiles(conditions: Record<string, string> | string): string[] {
  if (typeof conditions === 'string') return [conditions];
  return Object.entries(conditions).flatMap(([condition, file]) => (condition === '@transept/source' ? [] : [file]));
}

function entryPoints(name: string, exports: Record<string, unknown> = {}): string[] {
  return Object.keys(exports)
    .filter((path) => !path.endsWith('.json') && !path.endsWith('.wasm') && !/worker/.test(path))
    .map((path) => name + path.slice(1));
}
