// `npm start` as a process of its own, up to the line with the address.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const built = join(import.meta.dirname, '..', 'dist');

export interface Started extends Disposable {
  readonly url: string;
}

/** Runs serve.ts with the given options. Rejects with what it printed when it ends without an address. */
export async function start(...options: string[]): Promise<Started> {
  const script = join(import.meta.dirname, '..', 'serve.ts');
  const child = spawn(process.execPath, ['--conditions=@transept/source', script, ...options], {
    // A build for people, not for tests.
    env: { ...process.env, NODE_ENV: 'production', VITEST: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed: string[] = [];
  createInterface(child.stderr).on('line', (line) => printed.push(line));
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url) return { url, [Symbol.dispose]: () => void child.kill() };
    printed.push(line);
  }
  throw new Error(`start: the server ended without an address: ${printed.join('\n')}`);
}
