// Where the time of a run goes: one pass a dispatch with timestamps around it, over a few runs, because browsers round
// timestamps, mostly to 100 µs: what is shorter shows in the mean only. For people who make kernels faster; a program that is profiled
// runs slower than otherwise.
import { BackendError } from '@transept/tensor';
import type { Program } from '@transept/tensor';
import { GpuProgram } from './program.ts';

/** What one dispatch took. */
export interface DispatchTime {
  readonly op: string;
  /** The place in the model that asked for it. */
  readonly label: string;
  readonly workgroups: number;
  /** From the beginning of the run, in microseconds, the mean over the runs; never before the end of the one before. */
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

/**
 * Runs a program of this backend and times its dispatches. Throws a BackendError where the device has no timestamps, or such as never
 * differ.
 */
export async function profile(
  program: Program,
  { scalars = [], runs = 10 }: ProfileOptions = {},
): Promise<DispatchTime[]> {
  if (!(program instanceof GpuProgram))
    throw new BackendError(`profile: "${program.plan.name}" is no program of the webgpu backend; its load gives one`);
  const starts = new Float64Array(program.dispatches);
  const durations = new Float64Array(program.dispatches);
  for (let run = 0; run < runs; run++) {
    const stamps = await program.runTimed(scalars);
    for (let i = 0; i < starts.length; i++) {
      // Some devices set their clock back between two stamps.
      starts[i]! += Math.max(0, Number(stamps[2 * i]! - stamps[0]!)) / 1000 / runs;
      durations[i]! += Math.max(0, Number(stamps[2 * i + 1]! - stamps[2 * i]!)) / 1000 / runs;
    }
  }
  if (durations.length > 0 && durations.every((duration) => duration === 0))
    throw new BackendError(
      `profile: all timestamps of ${runs} runs are equal; raise runs, or have the browser not round them (Chrome: --enable-webgpu-developer-features)`,
    );
  let end = 0;
  return program.origins.map(({ op, label }, i) => {
    const start = Math.max(starts[i]!, end);
    end = start + durations[i]!;
    return { op, label, workgroups: program.workgroups[i]!, start, duration: durations[i]! };
  });
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

export interface SpanOptions {
  /** The row in the panel. Default: `GPU`. */
  readonly track?: string;
  /** When the run began, on the clock of `performance.now`. Default: so that the run ends now. */
  readonly at?: number;
}

/**
 * Put a profile on the timeline of the browser's DevTools: one entry of `performance.measure` a dispatch, in a track of its own of the
 * Performance panel (developer.chrome.com/docs/devtools/performance/extension). Where they are not recorded, nothing is seen of them.
 */
export function showInDevTools(times: readonly DispatchTime[], { track = 'GPU', at }: SpanOptions = {}): void {
  const length = times.reduce((end, { start, duration }) => Math.max(end, start + duration), 0) / 1000;
  const origin = at ?? Math.max(0, performance.now() - length);
  const longest = times.reduce((most, { duration }) => Math.max(most, duration), 0);
  for (const { op, label, workgroups, start, duration } of times) {
    const properties = [
      ['label', label],
      ['workgroups', String(workgroups)],
    ];
    const color = duration > longest / 2 ? 'error' : duration > longest / 8 ? 'primary' : 'primary-light';
    const entry = {
      dataType: 'track-entry',
      trackGroup: 'Transept',
      track,
      color,
      properties,
      tooltipText: `${op} at ${label}`,
    };
    performance.measure(op, {
      start: origin + start / 1000,
      end: origin + (start + duration) / 1000,
      detail: { devtools: entry },
    });
  }
}
