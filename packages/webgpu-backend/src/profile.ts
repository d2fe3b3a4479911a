// Where the time of a run goes: one pass a dispatch with timestamps around it, over a few runs, because browsers round
// timestamps. For people who make kernels faster; a program that is profiled runs slower than otherwise.
import { BackendError } from '@transept/tensor';
import type { Program } from '@transept/tensor';
import { GpuProgram } from './program.ts';

/** What one dispatch took. */
export interface DispatchTime {
  readonly op: string;
  /** The place in the model that asked for it. */
  readonly label: string;
  readonly workgroups: number;
  /** From the beginning of the run, in microseconds of the last run. */
  readonly start: number;
  /** Microseconds, the mean over the runs. */
  readonly duration: number;
}

export interface ProfileOptions {
  /** Values of the plan's scalars, the same for every run. */
  readonly scalars?: readonly number[];
  /** Runs to average over. Default: 10. */
  readonly runs?: number;
}

/** Runs a program of this backend and times its dispatches. Throws a BackendError where the device has no timestamps. */
export async function profile(
  program: Program,
  { scalars = [], runs = 10 }: ProfileOptions = {},
): Promise<DispatchTime[]> {
  if (!(program instanceof GpuProgram))
    throw new BackendError(`profile: "${program.plan.name}" is no program of the webgpu backend; its load gives one`);
  const total = new Float64Array(program.dispatches);
  let stamps = new BigInt64Array(0);
  for (let run = 0; run < runs; run++) {
    stamps = await program.runTimed(scalars);
    // Some devices set their clock back between two stamps.
    for (let i = 0; i < total.length; i++) total[i]! += Math.max(0, Number(stamps[2 * i + 1]! - stamps[2 * i]!));
  }
  return program.origins.map(({ op, label }, i) => ({
    op,
    label,
    workgroups: program.workgroups[i]!,
    start: Math.max(0, Number(stamps[2 * i]! - stamps[0]!)) / 1000,
    duration: total[i]! / runs / 1000,
  }));
}

/** A table of operations, the one that takes longest first. */
export function formatProfile(times: readonly DispatchTime[]): string {
  const byOp = new Map<string, { count: number; duration: number }>();
  for (const { op, duration } of times) {
    const entry = byOp.get(op) ?? { count: 0, duration: 0 };
    byOp.set(op, { count: entry.count + 1, duration: entry.duration + duration });
  }
  const all = times.reduce((sum, t) => sum + t.duration, 0);
  const share = (duration: number): string => `${(all === 0 ? 0 : (100 * duration) / all).toFixed(1)} %`;
  const rows = [...byOp].sort(([, a], [, b]) => b.duration - a.duration);
  const line = (op: string, count: number, duration: number): string =>
    `${op.padEnd(12)} ${String(count).padStart(5)} ${duration.toFixed(1).padStart(11)} µs ${share(duration).padStart(8)}`;
  return [...rows.map(([op, { count, duration }]) => line(op, count, duration)), line('all', times.length, all)].join(
    '\n',
  );
}

/** The last run as Chrome's trace viewer and Perfetto read it. */
export const chromeTrace = (times: readonly DispatchTime[]): string =>
  JSON.stringify({
    traceEvents: times.map(({ op, label, workgroups, start, duration }) => ({
      name: op,
      cat: 'gpu',
      ph: 'X',
      ts: start,
      dur: duration,
      pid: 1,
      tid: 1,
      args: { label, workgroups },
    })),
  });
