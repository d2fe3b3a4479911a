// GFLOP/s of matmul by shape, against a bare loop of multiply-adds timed in between: the machine may be shared, ratios count.
// Run: node --conditions=@transept/source bench/matmul.ts [threads] [relaxed|plain] [part of a shape's name] [f16|bf16|q8|q4]
import { linear, lower, trace } from '@transept/tensor';
import type { Storage } from '@transept/tensor';
import { cpu } from '../src/index.ts';
import type { Simd } from '../src/variants.ts';

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

const [threads = '1', simd = 'relaxed', only = '', stored] = process.argv.slice(2);
const backend = await cpu({ threads: Number(threads), simd: simd as Simd });

/** Median seconds of a call, and the smallest. */
function time(call: () => void): [median: number, best: number] {
  call();
  const start = performance.now();
  call();
  const once = (performance.now() - start) / 1000;
  const repeat = Math.max(1, Math.min(1000, Math.round(0.004 / once)));
  const samples = Array.from({ length: 25 }, () => {
    const from = performance.now();
    for (let i = 0; i < repeat; i++) call();
    return (performance.now() - from) / 1000 / repeat;
  }).sort((a, b) => a - b);
  return [samples[samples.length >> 1]!, samples[0]!];
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
  const [median, best] = time(() => program.run());
  const gflops = (seconds: number): string => ((2 * m * k * n) / seconds / 1e9).toFixed(1);
  const parameter = plan.buffers.find((b) => b.kind === 'bound' && b.role === 'parameter')!;
  const weights = (parameter.bytes / median / 1e9).toFixed(1);
  console.log(
    `${name.padEnd(16)} ${gflops(median).padStart(6)} GFLOP/s (best ${gflops(best)}), weights at ${weights} GB/s`,
  );
  program[Symbol.dispose]();
  for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
}
backend[Symbol.dispose]();
