// Installs the workspace's packages when the lockfile asks for it. pnpm keeps the part of the lockfile that it
// installed; where that is not the whole, a note says of which lockfile it is the part. So "up to date" is a comparison
// of contents, whoever ran the installation.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, modules, nodeBinary, pnpmVersion, root, say } from './workspace.mjs';

const lockfile = join(root, 'pnpm-lock.yaml');
const installedLockfile = join(modules, '.pnpm', 'lock.yaml');
const note = join(cache, 'installed');

export function install() {
  if (isInstalled()) return;
  say('installing packages (only after a change of pnpm-lock.yaml; a minute or two the first time) …');
  const windows = process.platform === 'win32';
  const args = ['-y', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'];
  const result = spawnSync(windows ? 'npx.cmd' : 'npx', args, {
    cwd: root,
    shell: windows,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`);
    throw new Error(`install: pnpm ended with ${result.status ?? result.signal}; its output is above`);
  }
  if (!existsSync(nodeBinary)) {
    throw new Error(`install: ${nodeBinary} is missing; allow install scripts (npm config get ignore-scripts)`);
  }
  mkdirSync(cache, { recursive: true });
  writeFileSync(note, describeInstallation());
}

function isInstalled() {
  if (!existsSync(nodeBinary) || !existsSync(installedLockfile)) return false;
  if (readFileSync(lockfile).equals(readFileSync(installedLockfile))) return true;
  return existsSync(note) && readFileSync(note, 'utf8') === describeInstallation();
}

function describeInstallation() {
  const hashes = [lockfile, installedLockfile].map((file) =>
    createHash('sha256').update(readFileSync(file)).digest('hex'),
  );
  return `${hashes.join(' ')}\n`;
}
