// Builds what a task needs: 'wasm' for running the sources, 'build' for everything. turbo decides by content what is
// out of date, so that a second run costs a tenth of a second. Silent unless it takes long or fails.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { modules, nodeBinary, root, say, workspaceEnvironment } from './workspace.mjs';

/** @param {'wasm' | 'build'} task */
export async function build(task) {
  const turbo = join(modules, 'turbo', 'bin', 'turbo');
  const child = spawn(nodeBinary, [turbo, 'run', task, '--output-logs=errors-only', '--ui=stream'], {
    cwd: root,
    env: workspaceEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = /** @type {Buffer[]} */ ([]);
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const notice = setTimeout(() => say(task === 'wasm' ? 'building WebAssembly …' : 'building …'), 1000);
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(notice);
  if (status === 0) return;
  process.stderr.write(Buffer.concat(output));
  throw new Error(`build: turbo run ${task} ended with ${status}; its output is above`);
}
