// What a command talks to: streams and a signal, given from outside so that tests can run commands in their own process.
// Standard output carries results and nothing else; progress and warnings go to standard error.
import type { Readable, Writable } from 'node:stream';

/** A stream that may be a terminal. */
export interface Screen extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(count?: number): boolean;
}

export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Write, and wait until the stream has taken it. */
export function print(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve())));
}

/** Where there is no terminal, as wide as pages are read. */
const pageColumns = 120;

export const columnsOf = (screen: Screen): number => Math.max(40, screen.columns ?? pageColumns);
