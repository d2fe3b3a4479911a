// What was measured, as a table for people and as lines of JSON for programs.
import { cpus, release, totalmem, type } from 'node:os';
import type { Clock, Timing } from './measure.ts';

export interface Result {
  readonly name: string;
  /** One operator, or the task of a whole model. */
  readonly kind: 'operator' | 'task';
  /** What a time means: a rate (`GFLOP/s`, `tokens/s`) or `ms`. */
  readonly unit: string;
  /** Rate = amount / milliseconds; 0 for times. */
  readonly amount: number;
  readonly timings: readonly Timing[];
  /** Runtimes that failed or do not have it, and why. */
  readonly absent: Readonly<Record<string, string>>;
}

export interface Report {
  readonly machine: string;
  readonly engine: string;
  /** Time that passed, or that processors spent. */
  readonly clock: Clock;
  readonly threads: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Peers that took no part, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

export const machine = (): string =>
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`;

/** A value in the unit of a result. */
export const inUnit = ({ amount }: { readonly amount: number }, ms: number): number =>
  amount === 0 ? ms : amount / ms;

export const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));

export function asMarkdown({ machine, engine, clock, threads, versions, leftOut, results }: Report): string {
  const cell = (result: Result, runtime: string): string => {
    const timing = result.timings.find((t) => t.name === runtime);
    if (!timing) return result.absent[runtime] ? 'failed' : '–';
    const [median, best, worst] = [timing.medianMs, timing.bestMs, timing.worstMs].map((ms) => inUnit(result, ms));
    const [low, high] = [Math.min(best!, worst!), Math.max(best!, worst!)];
    return `${digits(median!)} (${digits(low)}–${digits(high)})`;
  };
  /** One table, with the runtimes that have something in it. */
  const table = (group: readonly Result[]): string[] => {
    if (group.length === 0) return [];
    const runtimes = Object.keys(versions).filter((name) => group.some((result) => cell(result, name) !== '–'));
    return [
      '',
      `| work | unit | ${runtimes.map((name) => `${name} ${versions[name]}`).join(' | ')} |`,
      `| --- | --- | ${runtimes.map(() => '---:').join(' | ')} |`,
      ...group.map((r) => `| ${r.name} | ${r.unit} | ${runtimes.map((name) => cell(r, name)).join(' | ')} |`),
    ];
  };
  return [
    `${machine}; ${engine}; ${threads} thread${threads === 1 ? '' : 's'}. Median (range) by the ${clock} clock, all runtimes in turns.`,
    ...table(results.filter(({ kind }) => kind === 'operator')),
    ...table(results.filter(({ kind }) => kind === 'task')),
    ...(Object.keys(leftOut).length > 0 ? [''] : []),
    ...Object.entries(leftOut).map(([runtime, why]) => `Left out: ${runtime}, because ${why}.`),
  ].join('\n');
}
