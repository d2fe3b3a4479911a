// Timing of several contenders on one piece of work. Samples are taken in turns, so that what else the machine does hits all of
// them alike; each sample repeats short work until the clock is fine enough.

/**
 * `cpu` is the time that processors spent on this thread, or on all threads of the process for what works elsewhere: what counts
 * where others use the machine. Engines go on compiling in the background, which is nobody's work in particular.
 */
export type Clock = 'wall' | 'cpu';

let clock: Clock = 'wall';

/** Which clock everything is timed by. Default: `wall`. */
export const useClock = (name: Clock): void => void (clock = name);

export const chosenClock = (): Clock => clock;

/** Milliseconds by the clock. */
export function now(elsewhere = false): number {
  if (clock === 'wall') return performance.now();
  const { user, system } = elsewhere ? process.cpuUsage() : process.threadCpuUsage();
  return (user + system) / 1000;
}

/** One runtime's way of doing the work once. The result has to be complete when the promise resolves. */
export interface Contender {
  readonly name: string;
  run(): Promise<unknown>;
  /** Milliseconds of the work, where they are not simply those of `run`. */
  measured?(): number;
  /** Works on threads that are not JavaScript's. */
  readonly elsewhere?: boolean;
  dispose?(): Promise<void> | void;
}

export interface Timing {
  readonly name: string;
  readonly medianMs: number;
  readonly bestMs: number;
  readonly worstMs: number;
  readonly samples: number;
}

export interface MeasureOptions {
  /** Time to spend on each contender. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
}

/** The time of a thread is brought up to date by the ticks of the system only. */
const shortestSampleMs: Readonly<Record<Clock, number>> = { wall: 4, cpu: 60 };
/** Work that takes longer than this needs no second run to know how long it takes. */
const warmUpMs = 200;
/** Work that takes longer than this, whatever of it counts, is warm by itself: two samples in all. */
const slowMs = 3000;
const fewestSamples = 3;
const mostSamples = 400;

export interface Measured {
  readonly timings: readonly Timing[];
  /** Why contenders could not do it, by name. */
  readonly failures: Readonly<Record<string, string>>;
}

/** Time all contenders in turns. */
export async function measure(all: readonly Contender[], { seconds }: MeasureOptions): Promise<Measured> {
  const running: { contender: Contender; repeat: number; samples: number[]; fewest: number; spentMs: number }[] = [];
  const failures: Record<string, string> = {};
  for (const contender of all)
    try {
      const began = performance.now();
      let once = await timeOf(contender, 1);
      const isSlow = performance.now() - began > slowMs;
      if (once < warmUpMs && !isSlow) once = await timeOf(contender, 3);
      once = Math.max(once, 0.01);
      const repeat = contender.measured ? 1 : Math.max(1, Math.min(4000, Math.round(shortestSampleMs[clock] / once)));
      const samples = isSlow ? [once] : [];
      running.push({ contender, repeat, samples, fewest: isSlow ? 2 : fewestSamples, spentMs: 0 });
    } catch (error) {
      failures[contender.name] = String(error).slice(0, 200);
    }
  const wanting = ({ samples, fewest, spentMs }: (typeof running)[number]): boolean =>
    samples.length < fewest || (spentMs < seconds * 1000 && samples.length < mostSamples);
  while (running.some(wanting))
    for (const one of running) {
      if (!wanting(one)) continue;
      const began = performance.now();
      one.samples.push(await timeOf(one.contender, one.repeat));
      one.spentMs += performance.now() - began;
    }
  const timings = running.map(({ contender: { name }, samples }) => {
    const sorted = samples.toSorted((a, b) => a - b);
    const [bestMs, medianMs, worstMs] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
    return { name, medianMs, bestMs, worstMs, samples: sorted.length };
  });
  return { timings, failures };
}

async function timeOf(contender: Contender, repeat: number): Promise<number> {
  const began = now(contender.elsewhere);
  for (let i = 0; i < repeat; i++) await contender.run();
  return contender.measured?.() ?? (now(contender.elsewhere) - began) / repeat;
}
