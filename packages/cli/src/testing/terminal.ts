// A terminal for tests: what goes in is given, what comes out is kept.
import { Readable, Writable } from 'node:stream';
import { main } from '../main.ts';
import type { MainOptions } from '../main.ts';
import type { Screen } from '../terminal.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends MainOptions {
  readonly stdin?: string;
  /** Is standard input a terminal, where nobody types? */
  readonly interactive?: boolean;
  readonly signal?: AbortSignal;
  /** Width of a terminal on standard error; without it there is none. */
  readonly stderrColumns?: number;
}

/** Run a command in this process. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { stdin = '', interactive = false, signal = new AbortController().signal, stderrColumns, ...rest } = options;
  const [stdout, stderr] = [collector(), collector(stderrColumns)];
  const input = Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY: interactive });
  const terminal = { stdin: input, stdout: stdout.screen, stderr: stderr.screen, signal };
  const code = await main(args, terminal, rest);
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collector(columns?: number): { screen: Screen; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const screen = columns === undefined ? stream : Object.assign(stream, { isTTY: true, columns });
  return { screen, text: () => Buffer.concat(chunks).toString('utf8') };
}
