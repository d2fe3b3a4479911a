// The page: runtimes by name, tasks that they have made ready, and what the benchmark calls from outside.
import type { Task } from '../../cpu/models.ts';
import { coldStart } from './cold.ts';
import { counted } from './counters.ts';
import type { Counts } from './counters.ts';
import { jax, tfjs, transept as transeptOperators } from './operators.ts';
import type { GpuOperator, Maker, Run } from './operators.ts';
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

const operatorMakers = { Transept: transeptOperators, tfjs, 'jax-js': jax };
export type OperatorRuntime = keyof typeof operatorMakers;

const makersReady = new Map<OperatorRuntime, Maker>();
const operators = new Map<OperatorRuntime, Run>();

/** Makes an operator ready, and runs it once. */
export async function prepareOperator(runtime: OperatorRuntime, operator: GpuOperator): Promise<void> {
  let maker = makersReady.get(runtime);
  if (!maker) makersReady.set(runtime, (maker = await operatorMakers[runtime]()));
  operators.set(runtime, await maker(operator));
  await operators.get(runtime)!();
}

/** Milliseconds of one run of the operator that is ready. */
export async function runOperator(runtime: OperatorRuntime): Promise<number> {
  const began = performance.now();
  await operators.get(runtime)!();
  return performance.now() - began;
}

export { coldStart, timeReplays };

/** The adapter that everything here runs on. */
export async function adapter(): Promise<string> {
  const info = (await navigator.gpu.requestAdapter())?.info;
  return info ? [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') : 'none';
}
