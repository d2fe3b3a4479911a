// `pnpm bench calls`: what each call of a model's last plan takes on one thread and on several, in turns: where the time goes, and what
// threads do not make faster. Calls that are alike are one line.
import { parseArgs } from 'node:util';
import { cpu } from '@transept/cpu-backend';
import type { LoadedProgram } from '@transept/cpu-backend';
import { programsOf } from '@transept/generate';
import { createModel, storageOf } from '@transept/models';
import type { WeightType } from '@transept/models';
import { elements } from '@transept/tensor';
import type { Backend, Plan } from '@transept/tensor';
import { configs } from '../cpu/models.ts';
import { randomFloats } from '../random.ts';
import { digits, machine } from '../report.ts';
import { storedNoise } from '../transept.ts';

interface Setup {
  readonly plan: Plan;
  readonly labels: readonly string[];
  /** Run all of it, and give the milliseconds of the whole. */
  whole(): number;
  calls(): number[];
}

export async function bench(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string', default: 'smollm' },
      weights: { type: 'string', default: 'q8' },
      threads: { type: 'string', default: '2' },
      rows: { type: 'string', default: '1' },
      length: { type: 'string', default: '128' },
      capacity: { type: 'string', default: '64' },
      position: { type: 'string', default: '16' },
      rounds: { type: 'string', default: '40' },
    },
  });
  const config = configs[values.model as keyof typeof configs];
  if (!config) throw new Error(`bench: --model is ${Object.keys(configs).join(', ')}, not ${values.model}`);
  const model = createModel(config);
  const [rows, length, capacity] = [Number(values.rows), Number(values.length), Number(values.capacity)];
  const setups: Setup[] = [];
  for (const threads of [1, Number(values.threads)]) {
    const backend = await cpu({ threads });
    const stored = storageOf(model, backend, values.weights as WeightType);
    const plan = programsOf(model, backend, { rows, length, capacity, stored }).at(-1)!;
    setups.push(await prepare(backend, plan, Number(values.position)));
  }
  const { labels, plan } = setups.at(-1)!;
  const wholes: number[][] = [[], []];
  const calls: number[][][] = [[], []];
  for (let round = 0; round < Number(values.rounds); round++)
    setups.forEach((setup, i) => {
      wholes[i]!.push(setup.whole());
      calls[i]!.push(setup.calls());
    });
  const byCall = calls.map((rounds) => labels.map((_, call) => low(rounds.map((times) => times[call]!))));
  const lines = new Map<string, { count: number; times: [number, number] }>();
  labels.forEach((label, call) => {
    const line = lines.get(label) ?? { count: 0, times: [0, 0] };
    line.count++;
    byCall.forEach((times, i) => (line.times[i]! += times[call]! * 1000));
    lines.set(label, line);
  });
  const row = (what: string, count: number | string, [a, b]: readonly [number, number]): string =>
    `| ${what} | ${count} | ${digits(a)} | ${digits(b)} | ${digits(a / b)} |`;
  const sorted = [...lines].sort(([, a], [, b]) => b.times[1] - a.times[1]);
  const [alone, together] = wholes.map((times) => low(times) * 1000) as [number, number];
  return [
    `${machine()}; Node ${process.version}. Plan "${plan.name}"; microseconds that a quarter of the runs stays under.`,
    '',
    `| call | times | 1 thread | ${values.threads} threads | times as fast |`,
    '| --- | ---: | ---: | ---: | ---: |',
    ...sorted.map(([label, { count, times }]) => row(label, count, times)),
    row('all, in one run', '', [alone, together]),
  ].join('\n');
}

/** Others want the machine too: what a quarter of the runs stays under. */
const low = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 2]!;

async function prepare(backend: Backend, plan: Plan, position: number): Promise<Setup> {
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b, seed) => {
      if (b.kind !== 'bound') return [];
      const buffer = backend.alloc(b.bytes);
      if (b.stored) backend.write(buffer, storedNoise(b.stored, elements(b.shape)));
      else if (b.role === 'parameter' && b.dtype === 'f32')
        backend.write(buffer, randomFloats(seed, b.bytes / 4, 0.03));
      return [[b.name, buffer] as const];
    }),
  );
  const program = (await backend.load(plan, bound)) as LoadedProgram;
  const scalars = plan.scalars.map(() => position);
  const whole = (): number => {
    program.run(scalars);
    const began = performance.now();
    program.run(scalars);
    return performance.now() - began;
  };
  const labels = plan.calls.map((call) => {
    const shapes = call.inputs.map(({ shape }) => shape.join('×')).join(', ');
    return `${call.op} ${shapes}: ${backend.kernels[call.op]?.describe?.(call, plan, backend.capabilities) ?? ''}`;
  });
  return { plan, labels, whole, calls: () => program.timeCalls(1) };
}
