// Where things are in this checkout, and how the launcher talks: always on standard error, so that a command's own
// output stays clean. Everything in scripts/ that runs before the installation uses Node 20 and no packages.
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const modules = join(root, 'node_modules');
export const cache = join(modules, '.cache', 'transept');
export const pnpmVersion = '10.34.8';

const windows = process.platform === 'win32';

/** Node 24 as npm installed it. The shim in node_modules/.bin would swallow signals, so this is the program itself. */
export const nodeBinary = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');

/**
 * The environment for everything that runs after the installation: Node 24 and the workspace's tools come first.
 * @param {NodeJS.ProcessEnv} [extra]
 * @returns {NodeJS.ProcessEnv}
 */
export function workspaceEnvironment(extra = {}) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const path = [dirname(nodeBinary), join(modules, '.bin'), process.env[name] ?? ''].join(delimiter);
  return { ...process.env, TURBO_TELEMETRY_DISABLED: '1', [name]: path, ...extra };
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`transept: ${line}\n`);
}
