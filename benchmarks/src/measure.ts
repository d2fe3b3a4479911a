// Timing of several contenders on one piece of work. Samples are taken in turns, so that what else the machine does hits all of
// them alike; each sample repeats short work until the clock is fine enough.

/** One runtime's way of doing the work once. The result has to be complete when the promise resolves. */
export interface Contender {
  readonly name: string;
  run(): Promise<unknown>;
  /** Milliseconds of the work, where they are not simply those of `run`. */
  measured?(): number;
  dispose?(): void;
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

const shortestSampleMs = 4;
const fewestSamples = 5;
const mostSamples = 400;

/** Time all contenders in turns. */
export async function measure(contenders: readonly Contender[], { seconds }: MeasureOptions): Promise<Timing[]> {
  const samples = contenders.map((): number[] => []);
  const repeats: number[] = [];
  for (const contender of contenders) {
    await contender.run();
    const once = await timeOf(contender, 1);
    repeats.push(contender.measured ? 1 : Math.max(1, Math.min(2000, Math.round(shortestSampleMs / once))));
  }
  const spent = contenders.map(() => 0);
  const wanting = (i: number): boolean =>
    samples[i]!.length < fewestSamples || (spent[i]! < seconds * 1000 && samples[i]!.length < mostSamples);
  while (contenders.some((_, i) => wanting(i)))
    for (const [i, contender] of contenders.entries()) {
      if (!wanting(i)) continue;
      const began = performance.now();
      samples[i]!.push(await timeOf(contender, repeats[i]!));
      spent[i]! += performance.now() - began;
    }
  return contenders.map(({ name }, i) => {
    const sorted = samples[i]!.toSorted((a, b) => a - b);
    return {
      name,
      medianMs: sorted[sorted.length >> 1]!,
      bestMs: sorted[0]!,
      worstMs: sorted.at(-1)!,
      samples: sorted.length,
    };
  });
}

async function timeOf(contender: Contender, repeat: number): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < repeat; i++) await contender.run();
  return contender.measured?.() ?? (performance.now() - began) / repeat;
}
