// `pnpm bench NAME`: Transept beside its peers. Every case runs all runtimes in turns; the tables keep what we lose.
const benchmarks: Readonly<Record<string, () => Promise<{ bench(args: readonly string[]): Promise<string> }>>> = {
  cpu: () => import('./src/cpu/bench.ts'),
  page: () => import('./src/page/bench.ts'),
  webgpu: () => import('./src/webgpu/bench.ts'),
  threads: () => import('./src/threads/bench.ts'),
  calls: () => import('./src/threads/calls.ts'),
};

const [name = 'cpu', ...args] = process.argv.slice(2);
const found = benchmarks[name];
if (!found) throw new Error(`bench: nothing is called ${name}; there are ${Object.keys(benchmarks).join(', ')}`);
const { bench } = await found();
process.stdout.write(`${await bench(args)}\n`);
// Runtimes leave threads behind.
process.exit();
