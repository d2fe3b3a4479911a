// One sweep over cases: for each of them every runtime makes itself ready, all are timed in turns, and are put away again.
import { operatorCases } from './cpu/operators.ts';
import { taskCases } from './cpu/models.ts';
import { measure } from './measure.ts';
import type { Contender } from './measure.ts';
import type { Result } from './report.ts';
import type { Prepared, Runtime } from './runtime.ts';

export interface SweepOptions {
  /** Which cases, by name. */
  readonly only: string;
  /** Time to spend on each runtime in each case. */
  readonly seconds: number;
}

export interface Case {
  readonly name: string;
  readonly kind: Result['kind'];
  readonly unit: string;
  /** Rate = amount / milliseconds; 0 for times. */
  readonly amount: number;
  prepare(runtime: Runtime): Promise<Prepared | undefined> | undefined;
}

const operators: readonly Case[] = operatorCases.map(({ name, operator, operations }) => ({
  name,
  kind: 'operator',
  unit: operations ? 'GFLOP/s' : 'ms',
  amount: operations / 1e6,
  prepare: (runtime) => runtime.operator?.(operator),
}));

const tasks: readonly Case[] = taskCases.map(({ name, task }) => ({
  name,
  kind: 'task',
  unit: task.tokens ? 'tokens/s' : 'ms',
  amount: task.tokens * task.rows * 1000,
  prepare: (runtime) => runtime.task?.(task),
}));

export const cases: readonly Case[] = [...operators, ...tasks];

/** Time what is asked for; how it goes is told on the error output. */
export async function sweep(runtimes: readonly Runtime[], options: SweepOptions): Promise<Result[]> {
  const wanted = new RegExp(options.only);
  const results: Result[] = [];
  for (const { name, kind, unit, amount, prepare } of cases) {
    if (!wanted.test(name)) continue;
    const contenders: Contender[] = [];
    const absent: Record<string, string> = {};
    for (const runtime of runtimes)
      try {
        const made = await prepare(runtime);
        if (made) contenders.push({ ...made, name: runtime.name });
      } catch (error) {
        absent[runtime.name] = String(error).slice(0, 200);
      }
    if (contenders.length === 0 && Object.keys(absent).length === 0) continue;
    const { timings, failures } = await measure(contenders, options);
    Object.assign(absent, failures);
    for (const contender of contenders) await contender.dispose?.();
    results.push({ name, kind, unit, amount, timings, absent });
    for (const [runtime, why] of Object.entries(absent)) console.error(`${name}: ${runtime} failed: ${why}`);
    const times = timings.map((t) => `${t.name} ${t.bestMs.toFixed(3)} to ${t.medianMs.toFixed(3)} ms`);
    console.error(`${name}: ${times.join(', ')}`);
  }
  return results;
}
