// What the WebGPU benchmark measured, as a table for people.
import { digits } from '../report.ts';
import type { Task } from '../cpu/models.ts';
import type { ColdStart } from './page/cold.ts';
import type { Counts } from './page/counters.ts';
import type { ReplayTimes } from './page/replay.ts';

/** One runtime on one case, in milliseconds. */
export interface Measurement {
  /** From asking for the model to its first token or outputs: weights, shaders and all. */
  readonly cold: number;
  /** From the call to the first token or the outputs, everything being there: the median. */
  readonly first: number;
  /** Of each further token: 0 for an encoder. */
  readonly token: { readonly median: number; readonly best: number; readonly worst: number };
  /** Of the page's thread, for each token or encoding. */
  readonly thread: number;
  /** Of all processors on all processes of the browser, for each token or encoding; NaN where the system does not tell. */
  readonly processors: number;
  /** For each token or encoding. */
  readonly counts: Counts;
}

export interface CaseResult {
  readonly name: string;
  readonly task: Task;
  readonly runtimes: Readonly<Record<string, Measurement>>;
  /** Runtimes that failed, and why. */
  readonly absent: Readonly<Record<string, string>>;
}

/** Milliseconds of an operator, its result read into JavaScript. */
export interface OperatorResult {
  readonly name: string;
  readonly runtimes: Readonly<
    Record<string, { readonly median: number; readonly best: number; readonly worst: number }>
  >;
  readonly absent: Readonly<Record<string, string>>;
}

export interface GpuReport {
  readonly machine: string;
  /** Processes that wanted a processor, over the last minute, when it began and ended. */
  readonly load: readonly [number, number];
  readonly browser: string;
  readonly adapter: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly leftOut: Readonly<Record<string, string>>;
  readonly operators: readonly OperatorResult[];
  readonly cases: readonly CaseResult[];
  /** `run` of a step by itself, in models that are narrow. */
  readonly replays: Readonly<Record<string, ReplayTimes>>;
  readonly coldStart: ColdStart | undefined;
}

/** What `more` tokens took beyond `few`, for each of them. */
export function perToken<T extends Record<keyof T, number>>(more: T, few: T, tokens: number): T {
  const each = (key: keyof T): number => (more[key] - few[key]) / tokens;
  return Object.fromEntries((Object.keys(more) as (keyof T)[]).map((key) => [key, each(key)])) as T;
}

export function asMarkdown(report: GpuReport): string {
  const { machine, load, browser, adapter, versions, cases, replays, coldStart } = report;
  const names = Object.keys(versions);
  const rows = cases.flatMap(({ name, task, runtimes, absent }) =>
    names.flatMap((runtime) => {
      const m = runtimes[runtime];
      if (!m) return absent[runtime] ? [`| ${name} | ${runtime} | failed: ${absent[runtime]} |`] : [];
      const { median, best, worst } = m.token;
      const speed =
        task.tokens > 0
          ? `${digits(1000 / median)} (${digits(1000 / worst)}–${digits(1000 / best)}) tokens/s`
          : `${digits(median)} (${digits(best)}–${digits(worst)}) ms`;
      const { submits, dispatches, created, written, read } = m.counts;
      const counts = [submits, dispatches, created, written, read].map((n) => digits(n));
      return [
        `| ${[name, runtime, speed, digits(m.first), digits(m.cold), digits(m.processors), digits(m.thread), ...counts].join(' | ')} |`,
      ];
    }),
  );
  return [
    `${machine}, load ${load.map(digits).join(' to ')}; ${browser} on ${adapter}. Median (range), all runtimes in turns.`,
    '',
    '| work | runtime | speed | first, ms | cold, ms | processors, ms | thread, ms | submits | dispatches | created | bytes written | read |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    ...operatorTable(report),
    ...Object.entries(replays).map(
      ([name, { dispatches, median, best }]) =>
        `\`run\` of a step of ${name}: ${dispatches} dispatches, ${digits(median)} µs (best ${digits(best)})`,
    ),
    ...(coldStart ? [coldLine(coldStart)] : []),
    ...Object.entries(report.leftOut).map(([runtime, why]) => `Left out: ${runtime}, because ${why}.`),
  ].join('\n');
}

function operatorTable({ operators }: GpuReport): string[] {
  if (operators.length === 0) return [];
  const names = [...new Set(operators.flatMap(({ runtimes, absent }) => Object.keys({ ...runtimes, ...absent })))];
  const cell = ({ runtimes, absent }: OperatorResult, name: string): string => {
    const found = runtimes[name];
    if (!found) return absent[name] ? 'failed' : '–';
    return `${digits(found.median)} (${digits(found.best)}–${digits(found.worst)})`;
  };
  return [
    `| operator, ms | ${names.join(' | ')} |`,
    `| --- | ${names.map(() => '---:').join(' | ')} |`,
    ...operators.map((one) => `| ${one.name} | ${names.map((name) => cell(one, name)).join(' | ')} |`),
    '',
  ];
}

const coldLine = ({ device, loaded, firstToken, warm, longTasks }: ColdStart): string =>
  `Default translator from nothing: device ${digits(device)} ms, loaded ${digits(loaded)}, first token ${digits(firstToken)}, ` +
  `once more ${digits(warm)}; tasks over 50 ms: ${longTasks.map(({ duration }) => duration).join(', ') || 'none'}`;
