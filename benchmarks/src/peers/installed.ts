// The peers' packages: folders of their own outside the workspace, installed the first time a benchmark asks for them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('../../peers', import.meta.url));
const llamaFolder = join(folder, 'llama');
const llamaPackage = 'node-llama-cpp';

/** Install what benchmarks/peers/package.json names, unless it is there. */
export function installPeers(): void {
  const missing = Object.entries(wantedIn(folder)).filter(([name, version]) => peerVersion(name) !== version);
  if (missing.length === 0) return;
  if (!install(folder, missing.map(([name]) => name).join(', '), []))
    throw new Error('bench: the peers cannot be installed; --only-ours measures without them');
}

/** Install llama.cpp with its build for this processor alone. */
export function installLlama(): void {
  const version = wantedIn(llamaFolder)[llamaPackage]!;
  if (llamaVersion() === version) return;
  const build = `@node-llama-cpp/${process.platform === 'darwin' ? 'mac' : process.platform === 'win32' ? 'win' : 'linux'}-${process.arch}`;
  if (!install(llamaFolder, llamaPackage, ['--no-save', '--omit=optional', `${build}@${version}`]))
    throw new Error(`${llamaPackage} ${version} cannot be installed for this platform`);
}

const wantedIn = (place: string): Record<string, string> =>
  (JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as { dependencies: Record<string, string> })
    .dependencies;

function install(place: string, what: string, args: readonly string[]): boolean {
  console.error(`installing ${what} in ${place} …`);
  return spawnSync('npm', ['install', ...args], { cwd: place, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

export const peerPath = (path: string): string => join(folder, 'node_modules', path);

/** Where models are kept that are made for the peers. */
export const madeModels = join(folder, 'models');

/** Where bundles are kept that pages load. */
export const madePages = join(folder, 'pages');

/** The installed version of a peer, or an empty string. */
export const peerVersion = (name: string): string => versionAt(peerPath(name));

export const llamaVersion = (): string => versionAt(join(llamaFolder, 'node_modules', llamaPackage));

function versionAt(place: string): string {
  const path = join(place, 'package.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version : '';
}

/** A peer's module, by its path within the peers' packages. */
export const importPeer = async <T>(path: string): Promise<T> =>
  (await import(pathToFileURL(peerPath(path)).href)) as T;

export const llamaModule = async <T>(): Promise<T> =>
  (await import(pathToFileURL(join(llamaFolder, 'node_modules', llamaPackage, 'dist', 'index.js')).href)) as T;
