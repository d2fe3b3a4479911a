// A runtime in a process of its own, asked in lines of JSON: `{"prepare": {task, ids}}`, then `{"run": true}` as often as it takes,
// then `{"drop": true}`. It answers each line with one of its own: `{"error"}`, or `{"ready": true | false}` and `{"wallMs", "cpuMs"}`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { configs } from '../cpu/models.ts';
import type { Task } from '../cpu/models.ts';
import { chosenClock } from '../measure.ts';
import { randomIds } from '../random.ts';
import type { Prepared, Runtime } from '../runtime.ts';

/** What a line asks. */
export type Question =
  | { readonly prepare: Task; readonly ids: readonly (readonly number[])[] }
  | { readonly run: true }
  | { readonly drop: true };

export interface Answer {
  readonly error?: string;
  /** At the start, with its version; then: can it do the task? */
  readonly ready?: boolean;
  readonly version?: string;
  /** Of a run: as `Runtime.task` counts it. */
  readonly wallMs?: number;
  readonly cpuMs?: number;
}

/** The same ids for every runtime. */
export const idsOf = ({ model, rows, length }: Task): number[][] =>
  Array.from({ length: rows }, (_, r) => randomIds(r + 1, length, configs[model]['vocab_size'] as number));

/** A runtime that answers questions elsewhere. */
export function answering(
  name: string,
  version: string,
  ask: (question: Question) => Promise<Answer>,
  dispose: () => Promise<void> | void,
): Runtime {
  const answered = async (question: Question): Promise<Answer> => {
    const answer = await ask(question);
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  return {
    name,
    version,
    async task(task): Promise<Prepared | undefined> {
      const { ready } = await answered({ prepare: task, ids: idsOf(task) });
      if (!ready) return undefined;
      let measured = 0;
      return {
        async run() {
          const { wallMs = 0, cpuMs = 0 } = await answered({ run: true });
          measured = chosenClock() === 'wall' ? wallMs : cpuMs;
        },
        measured: () => measured,
        dispose: async () => void (await ask({ drop: true })),
      };
    },
    dispose,
  };
}

/** Start a process and wait until it says that it is ready. Throws what it says instead. */
export async function remote(name: string, command: string, args: readonly string[]): Promise<Runtime> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint = (complaint + text.toString()).slice(-2000)));
  const waiting: ((answer: Answer) => void)[] = [];
  const answerNext = (answer: Answer): void => waiting.shift()?.(answer);
  createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{') && answerNext(JSON.parse(line)));
  const ended = (): void => {
    while (waiting.length > 0) answerNext({ error: lastLine(complaint) || `${command} ended` });
  };
  child.on('error', ended);
  child.on('close', ended);
  const next = (): Promise<Answer> => new Promise((resolve) => waiting.push(resolve));
  const { error, version = '' } = await next();
  if (error) throw new Error(error);
  const ask = (question: Question): Promise<Answer> => {
    if (child.exitCode !== null) return Promise.resolve({ error: `${name} ended` });
    child.stdin.write(`${JSON.stringify(question)}\n`);
    return next();
  };
  return answering(name, version, ask, () => void child.kill());
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
