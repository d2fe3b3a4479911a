#!/usr/bin/env node
// The program `transept`: main on the streams of this process. Ctrl-C asks it to stop and clean up; a second one does not wait.
import { main } from './main.ts';

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => (abort.signal.aborted ? process.exit(130) : abort.abort()));
// Errors of a pipe whose reader is gone reach main through the write that failed.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const { stdin, stdout, stderr } = process;
process.exitCode = await main(process.argv.slice(2), { stdin, stdout, stderr, signal: abort.signal });
// Waiting input would keep the process alive.
process.stdin.destroy();
