// Has turbo do what a task needs first: 'wasm' for running the sources, 'build' for the published files, 'typecheck'.
// turbo decides by content what is out of date, so that a second run costs a tenth of a second. Silent unless it takes
// long or fails.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { modules, nodeBinary, root, say, workspaceEnvironment } from './workspace.mjs';

/** @param {readonly ('wasm' | 'build' | 'typecheck')[]} steps */
export async function build(steps) {
  const turbo = join(modules, 'turbo', 'bin', 'turbo');
  const child = spawn(nodeBinary, [turbo, 'run', ...steps, '--output-logs=errors-only', '--ui=stream'], {
    cwd: root,
    env: workspaceEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = /** @type {Buffer[]} */ ([]);
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const notice = setTimeout(() => say(`${steps.join(', ')} …`), 1000);
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(notice);
  if (status === 0) return;
  process.stderr.write(Buffer.concat(output));
  throw new Error(`build: turbo run ${steps.join(' ')} ended with ${status}; its output is above`);
}
