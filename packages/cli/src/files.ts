// Files that commands read and write: JSON and lines of text, `-` for standard input, and output that appears only whole.
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { CommandError, fileProblem } from './errors.ts';
import { print } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** The value of a JSON file. */
export async function readJsonFile(path: string, terminal: Terminal): Promise<unknown> {
  const contents = path === '-' ? await text(terminal.stdin) : await readText(path);
  try {
    return JSON.parse(contents);
  } catch (cause) {
    throw new CommandError(`input: ${nameOf(path)} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CommandError(`input: cannot read ${path}: ${fileProblem(cause)}`, { cause });
  }
}

/** Lines one by one, without their ends, and without a byte order mark. */
export async function* readLines(path: string, terminal: Terminal): AsyncGenerator<string, void, undefined> {
  const { signal, stdin } = terminal;
  const stream = path === '-' ? stdin.setEncoding('utf8') : createReadStream(path, 'utf8');
  const failed = new Promise<never>((_, reject) => stream.once('error', reject));
  failed.catch(() => {});
  const lines = createInterface({ input: stream, crlfDelay: Infinity, signal });
  const iterator = lines[Symbol.asyncIterator]();
  try {
    for (let first = true; ; first = false) {
      const next = await Promise.race([iterator.next(), failed]);
      signal.throwIfAborted();
      if (next.done) return;
      yield first ? next.value.replace(/^\uFEFF/, '') : next.value;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new CommandError(`input: cannot read ${nameOf(path)}: ${fileProblem(cause)}`, { cause });
  } finally {
    lines.close();
    if (path !== '-') stream.destroy();
  }
}

/** What a file is called in messages. */
export const nameOf = (path: string): string => (path === '-' ? 'standard input' : path);

/** Write a file piece by piece beside its place, and move it there when it is whole. Devices and pipes are written at once. */
export async function writeWhole(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  const target = present && !present.isFile() ? path : `${path}.partial-${process.pid}`;
  try {
    const file = await open(target, 'w');
    try {
      for (const piece of pieces) await file.writeFile(piece);
    } finally {
      await file.close();
    }
    if (target !== path) await rename(target, path);
  } catch (cause) {
    if (target !== path) await rm(target, { force: true });
    throw new CommandError(`output: cannot write ${path}: ${fileProblem(cause)}`, { cause });
  }
}

/** Where lines of text go, one after the other. */
export interface Output extends AsyncDisposable {
  write(text: string): Promise<void>;
}

/** A file, or standard output. */
export async function openOutput(path: string | undefined, { stdout }: Terminal): Promise<Output> {
  if (path === undefined) return { write: (text) => print(stdout, text), async [Symbol.asyncDispose]() {} };
  const failed = (cause: unknown): never => {
    throw new CommandError(`output: cannot write ${path}: ${fileProblem(cause)}`, { cause });
  };
  const file = await open(path, 'w').catch(failed);
  return { write: (text) => file.writeFile(text).catch(failed), [Symbol.asyncDispose]: () => file.close() };
}
