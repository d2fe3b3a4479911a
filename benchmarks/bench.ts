// `pnpm bench cpu`: Transept beside its peers. Every case runs all runtimes in turns in this process; the table keeps what we lose.
import { parseArgs } from 'node:util';
import { operatorCases } from './src/cpu/operators.ts';
import { measure, useClock } from './src/measure.ts';
import type { Contender } from './src/measure.ts';
import { taskCases } from './src/cpu/models.ts';
import { jax } from './src/peers/jax.ts';
import { installPeers } from './src/peers/installed.ts';
import { onnxruntimeNode, onnxruntimeWeb } from './src/peers/onnxruntime.ts';
import { tfjs } from './src/peers/tfjs.ts';
import { transformers } from './src/peers/transformers.ts';
import { asMarkdown, machine } from './src/report.ts';
import type { Report, Result } from './src/report.ts';
import type { Prepared, Runtime } from './src/runtime.ts';
import { transept } from './src/transept.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '0.5' },
    threads: { type: 'string', default: '1' },
    'only-ours': { type: 'boolean', default: false },
    onnx: { type: 'string' },
    clock: { type: 'string', default: 'wall' },
  },
});
const [which = 'cpu'] = positionals;
if (which !== 'cpu') throw new Error(`bench: nothing is called ${which}; there is cpu`);
const threads = Number(values.threads);
const seconds = Number(values.seconds);
if (values.clock !== 'wall' && values.clock !== 'cpu')
  throw new Error(`bench: --clock is wall or cpu, not ${values.clock}`);
useClock(values.clock);
const wanted = new RegExp(values.only);

const ours = await transept(threads);
const runtimes: Runtime[] = [ours];
if (!values['only-ours']) {
  installPeers();
  runtimes.push(await onnxruntimeWeb(threads), await tfjs(threads));
  if (threads === 1) runtimes.push(await jax());
  runtimes.push(await onnxruntimeNode(threads));
  if (values.onnx) runtimes.push(await transformers(threads, values.onnx));
}
const versions = Object.fromEntries(runtimes.map(({ name, version }) => [name, version]));
const results: Result[] = [];

async function add(
  name: string,
  unit: string,
  amount: number,
  make: (runtime: Runtime) => Promise<Prepared | undefined>,
): Promise<void> {
  if (!wanted.test(name)) return;
  const contenders: Contender[] = [];
  const absent: Record<string, string> = {};
  for (const runtime of runtimes)
    try {
      const made = await make(runtime);
      if (!made) continue;
      contenders.push({ ...made, name: runtime.name });
    } catch (error) {
      absent[runtime.name] = String(error).slice(0, 200);
    }
  const { timings, failures } = await measure(contenders, { seconds });
  Object.assign(absent, failures);
  for (const contender of contenders) contender.dispose?.();
  results.push({ name, unit, amount, timings, absent });
  for (const [runtime, why] of Object.entries(absent)) console.error(`${name}: ${runtime} failed: ${why}`);
  console.error(
    `${name}: ${timings.map((t) => `${t.name} ${t.bestMs.toFixed(3)} to ${t.medianMs.toFixed(3)} ms`).join(', ')}`,
  );
}

for (const { name, operator, operations } of operatorCases)
  await add(name, operations ? 'GFLOP/s' : 'ms', operations / 1e6, async (runtime) => runtime.operator?.(operator));
for (const { name, task } of taskCases)
  await add(name, task.tokens ? 'tokens/s' : 'ms', task.tokens * task.rows * 1000, async (runtime) =>
    runtime.task?.(task),
  );

const report: Report = {
  machine: machine(),
  engine: `Node ${process.version}`,
  clock: values.clock,
  threads,
  versions,
  results,
};
process.stdout.write(`${values.json ? JSON.stringify(report) : asMarkdown(report)}\n`);
for (const runtime of runtimes) await runtime.dispose?.();
process.exit();
