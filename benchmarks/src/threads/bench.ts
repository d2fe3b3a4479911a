// `pnpm bench threads`: our own work on one thread and on several, in turns, beside what the machine gives to two threads that have
// nothing to do with each other: its cores may share caches, memory, or be one core.
import { parseArgs } from 'node:util';
import { measure } from '../measure.ts';
import type { Contender } from '../measure.ts';
import { digits, inUnit, machine } from '../report.ts';
import type { Prepared } from '../runtime.ts';
import { cases } from '../sweep.ts';
import { transept } from '../transept.ts';
import { Twin } from './twin.ts';

const wantedByDefault =
  'matmul (512×512×512|1024×1024×1024|128×384×1536|1×576×49152)|minilm 1×128 (f32|q8)|translator (greedy|batch 16) (f32|q8)|smollm decode after 16';

export async function bench(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: wantedByDefault },
      seconds: { type: 'string', default: '0.5' },
      threads: { type: 'string', default: '2' },
    },
  });
  const several = Number(values.threads);
  const [one, all, twin] = [await transept(1), await transept(several), new Twin()];
  const wanted = new RegExp(values.only);
  const results = [];
  for (const each of cases) {
    if (!wanted.test(each.name)) continue;
    const [alone, together, beside] = [await each.prepare(one), await each.prepare(all), await twin.prepare(each.name)];
    if (!alone || !together || !beside) continue;
    const contenders: Contender[] = [
      { ...alone, name: 'one' },
      { ...together, name: 'several' },
      { ...besides(alone, beside), name: 'beside' },
    ];
    const { timings, failures } = await measure(contenders, { seconds: Number(values.seconds) });
    for (const why of Object.values(failures)) throw new Error(why);
    for (const done of [alone, together, beside]) await done.dispose?.();
    const [first, second, third] = timings.map((t) => t.medianMs) as [number, number, number];
    // The best of each is what the machine can do while nobody else wants it.
    const [bestOne, bestSeveral] = timings.map((t) => t.bestMs) as [number, number];
    const result = {
      name: each.name,
      unit: each.unit,
      one: inUnit(each, first),
      several: inUnit(each, second),
      speedup: first / second,
      bestSpeedup: bestOne / bestSeveral,
      machine: (2 * first) / third,
    };
    results.push(result);
    console.error(`${each.name}: ${digits(result.speedup)} ×, two apart ${digits(result.machine)} ×`);
  }
  const report = { machine: machine(), engine: `Node ${process.version}`, threads: several, results };
  return values.json ? JSON.stringify(report) : asMarkdown(report);
}

function asMarkdown({
  machine,
  engine,
  threads,
  results,
}: {
  readonly machine: string;
  readonly engine: string;
  readonly threads: number;
  readonly results: readonly {
    readonly name: string;
    readonly unit: string;
    readonly one: number;
    readonly several: number;
    readonly speedup: number;
    readonly bestSpeedup: number;
    readonly machine: number;
  }[];
}): string {
  return [
    `${machine}; ${engine}. Medians, in turns. "Two apart": two threads that do the same by themselves at the same time, together, by one alone.`,
    '',
    `| work | unit | 1 thread | ${threads} threads | times | best by best | two apart |`,
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...results.map(
      (r) =>
        `| ${r.name} | ${r.unit} | ${digits(r.one)} | ${digits(r.several)} | ${digits(r.speedup)} | ${digits(r.bestSpeedup)} | ${digits(r.machine)} |`,
    ),
  ].join('\n');
}

/** The work of one thread while another has the same to do. */
function besides(alone: Prepared, beside: { start(): Promise<void>; stop(): Promise<void> }): Prepared {
  const shortestMs = 40;
  let perRun = 0;
  return {
    async run() {
      await beside.start();
      const began = performance.now();
      let runs = 0;
      do {
        await alone.run();
        runs++;
      } while (!alone.measured && performance.now() - began < shortestMs);
      perRun = alone.measured?.() ?? (performance.now() - began) / runs;
      await beside.stop();
    },
    measured: () => perRun,
  };
}
