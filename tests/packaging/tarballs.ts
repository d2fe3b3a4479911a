// Packs packages as they would be published and installs the tarballs into an empty folder, without a network: what a
// package needs must be among the tarballs.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  exports?: Record<string, Record<string, string> | string>;
  bin?: Record<string, string>;
  engines?: { node?: string };
  dependencies?: Record<string, string>;
}

/** The manifest of an installed package, or of one in the workspace. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** The folders of the packages that are published, by package name. */
export function publishedPackages(): Map<string, string> {
  const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
  const published = folders.map((folder) => [readManifest(folder), folder] as const);
  return new Map(
    published.filter(([manifest]) => !manifest.private).map(([manifest, folder]) => [manifest.name, folder]),
  );
}

/** Packs the packages `names` and installs them, and nothing else, into `folder`. */
export function installPacked(names: readonly string[], folder: string): void {
  const packages = publishedPackages();
  const pnpm = join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
  const tarballs = names.map((name) => {
    const source = packages.get(name);
    if (!source)
      throw new Error(`pack: no published package is named ${name}; there are ${[...packages.keys()].join(', ')}`);
    const packed = run(process.execPath, [pnpm, 'pack', '--json', '--pack-destination', folder], source);
    return (JSON.parse(packed) as { filename: string }).filename;
  });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', ...flags, ...tarballs], folder);
}

/** Runs an ES module in `folder` under Node, as a user would, and returns what it printed. */
export function runModule(program: string, folder: string, args: readonly string[] = []): string {
  const file = join(folder, 'program.mjs');
  writeFileSync(file, program);
  return run(process.execPath, [file, ...args], folder);
}

/** Type-checks a module in `folder` as a user's compiler would: strict, against the published declarations. */
export function typecheckModule(program: string, folder: string, { node }: { node: boolean }): void {
  const file = join(folder, 'program.mts');
  writeFileSync(file, program);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', '--lib', 'esnext,dom'];
  const types = node ? ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')] : [];
  run(process.execPath, [compiler, ...flags, ...types, file], folder);
}

/** A process that knows nothing of the one that tests: no conditions, no npm settings. */
function run(program: string, args: readonly string[], folder: string): string {
  const environment = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|node_options$|vitest|node_env$)/i.test(name),
  );
  const result = spawnSync(program, args, {
    cwd: folder,
    env: Object.fromEntries(environment),
    encoding: 'utf8',
    shell: process.platform === 'win32' && program === 'npm',
  });
  if (result.status === 0) return result.stdout;
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`;
  throw new Error(`${program} ${args.join(' ')} ended with ${result.status ?? result.signal}:\n${output}`);
}
