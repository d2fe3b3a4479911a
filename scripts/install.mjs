// Installs the workspace's packages when the lockfile asks for it. pnpm keeps a copy of the lockfile it installed
// from, so "up to date" is a comparison of two files, whoever ran the installation.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modules, nodeBinary, pnpmVersion, root, say } from './workspace.mjs';

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
}

function isInstalled() {
  const installed = join(modules, '.pnpm', 'lock.yaml');
  if (!existsSync(nodeBinary) || !existsSync(installed)) return false;
  return readFileSync(installed, 'utf8') === readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
}
