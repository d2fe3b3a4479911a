// GFLOP/s of matmul by shape, as a share of what a bare loop of multiply-adds of its kind does in between, or for one row of what reading as many
// bytes does. By the clock of the thread: the machine may be shared, shares count.
// Run: node --conditions=@transept/source bench/matmul.ts [relaxed|plain][-wide] [part of a shape's name] [f16|bf16|q8|q4]
import { linear, lower, storedBytes, trace } from '@transept/tensor';
import type { Storage } from '@transept/tensor';
import { cpu } from '../src/index.ts';
import type { Simd } from '../src/variants.ts';
import { bareAdd, bareDot, bareRead } from './bare.ts';

const shapes: readonly (readonly [m: number, k: number, n: number])[] = [
  [64, 64, 64],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [128, 384, 1536],
  [80, 256, 1024],
  [80, 1024, 256],
  [24, 256, 256],
  [12, 256, 1024],
  [7, 256, 1024],
  [4, 512, 2048],
  [3, 256, 1024],
  [2, 256, 1024],
  [1, 576, 576],
  [1, 576, 1536],
  [1, 256, 256],
  [1, 256, 1024],
  [1, 1024, 256],
  [1, 256, 6001],
  [1, 576, 49152],
];

const [variant = 'relaxed', only = '', stored] = process.argv.slice(2);
const [simd, wide] = variant.split('-');
const backend = await cpu({ threads: 1, simd: simd as Simd, ...(wide && { maxBytes: 2 ** 33 }) });
const rounds = 9;
/** The clock of a thread moves with the ticks of the system. */
const sampleSeconds = 0.06;

const now = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
};

/** Seconds that a call of each takes, taken in turns: medians. */
function time(calls: readonly (() => unknown)[]): number[] {
  const repeats = calls.map((call) => {
    call();
    const from = now();
    let turns = 1;
    for (; now() - from < sampleSeconds; turns *= 2) for (let i = 0; i < turns; i++) call();
    return Math.max(1, Math.round(((turns - 1) * sampleSeconds) / (now() - from)));
  });
  const samples = calls.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    calls.forEach((call, i) => {
      const from = now();
      for (let n = 0; n < repeats[i]!; n++) call();
      samples[i]!.push((now() - from) / repeats[i]!);
    });
  return samples.map((s) => s.toSorted((a, b) => a - b)[rounds >> 1]!);
}

console.log(`cpu: ${JSON.stringify(backend.capabilities.details)}`);
for (const [m, k, n] of shapes) {
  const name = `${m}×${k}×${n}`;
  if (!name.includes(only)) continue;
  const graph = trace(name, (g) => ({ y: linear(g.input('x', [m, k]), g.parameter('w', [n, k])) }));
  const plan = lower(graph, backend, stored ? { stored: new Map([['w', stored as Storage]]) } : {});
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b) => {
      if (b.kind !== 'bound') return [];
      const buffer = backend.alloc(b.bytes);
      backend.write(buffer, new Float32Array(b.bytes / 4).fill(0.5));
      return [[b.name, buffer]];
    }),
  );
  const program = await backend.load(plan, bound);
  const most = stored === 'q8' || stored === 'q4' ? bareDot : bareAdd;
  const bytes = stored ? storedBytes(stored as Storage, n * k) : n * k * 4;
  const [product, bare] = time([() => program.run(), m === 1 ? bareRead(bytes).run : most.run]) as [number, number];
  const gflops = `${((2 * m * k * n) / product / 1e9).toFixed(1)} GFLOP/s`.padStart(14);
  const share = (ours: number, most: number): string => `${Math.round((100 * ours) / most)} %`;
  console.log(
    m === 1
      ? `${name.padEnd(16)} ${gflops}, weights at ${(bytes / product / 1e9).toFixed(1)} GB/s: ${share(bare, product)} of reading`
      : `${name.padEnd(16)} ${gflops}: ${share((2 * m * k * n) / product, most.flop / bare)} of ${(most.flop / bare / 1e9).toFixed(1)}`,
  );
  program[Symbol.dispose]();
  for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
}
backend[Symbol.dispose]();
