// The peers' packages: a folder of their own outside the workspace, installed the first time a benchmark asks for them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('../../peers', import.meta.url));

/** Install what benchmarks/peers/package.json names, unless it is there. */
export function installPeers(): void {
  const wanted = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const missing = Object.entries(wanted.dependencies).filter(([name, version]) => peerVersion(name) !== version);
  if (missing.length === 0) return;
  console.error(`installing ${missing.map(([name]) => name).join(', ')} in benchmarks/peers …`);
  const { status } = spawnSync('npm', ['install'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('bench: the peers cannot be installed; --only-ours measures without them');
}

export const peerPath = (path: string): string => join(folder, 'node_modules', path);

/** The installed version of a peer, or an empty string. */
export function peerVersion(name: string): string {
  const path = peerPath(join(name, 'package.json'));
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version : '';
}

/** A peer's module, by its path within the peers' packages. */
export const importPeer = async <T>(path: string): Promise<T> =>
  (await import(pathToFileURL(peerPath(path)).href)) as T;
