// The page: runtimes by name, tasks that they have made ready, and what the benchmark calls from outside.
import type { Task } from '../../cpu/models.ts';
import { coldStart } from './cold.ts';
import { counted } from './counters.ts';
import type { Counts } from './counters.ts';
import { timeReplays } from './replay.ts';
import type { PageRuntime, PageTask, Times } from './runtime.ts';
import { transept } from './transept.ts';
import { transformers } from './transformers.ts';

const makers = { Transept: transept, 'transformers.js': transformers };
export type RuntimeName = keyof typeof makers;

const runtimes = new Map<RuntimeName, PageRuntime>();
const ready = new Map<string, PageTask>();

const key = (runtime: RuntimeName, name: string): string => `${runtime} ${name}`;

/** Gets a runtime ready without a model. */
export async function start(runtime: RuntimeName): Promise<void> {
  if (!runtimes.has(runtime)) runtimes.set(runtime, await makers[runtime]());
}

/** Loads the model of a task: the milliseconds it took, undefined where the runtime does not have it. */
export async function prepare(runtime: RuntimeName, name: string, task: Task): Promise<number | undefined> {
  const began = performance.now();
  const made = await runtimes.get(runtime)!.prepare(task);
  if (!made) return undefined;
  ready.set(key(runtime, name), made);
  return performance.now() - began;
}

export const run = (runtime: RuntimeName, name: string, tokens: number): Promise<Times> =>
  ready.get(key(runtime, name))!.run(tokens);

export const count = (runtime: RuntimeName, name: string, tokens: number): Promise<Counts> =>
  counted(() => run(runtime, name, tokens));

export { coldStart, timeReplays };

/** The adapter that everything here runs on. */
export async function adapter(): Promise<string> {
  const info = (await navigator.gpu.requestAdapter())?.info;
  return info ? [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') : 'none';
}
