// How fast an operation runs: the median of several rounds, each long enough to measure, with what it reads and writes and computes.
import { bytesPer, elements, readsOf, storedBytes, trace, writesOf } from '@transept/tensor';
import type { Backend, Buffer, Call, Plan, PlannedBuffer, Program, View } from '@transept/tensor';
import { titleOf } from './case.ts';
import type { OpCase } from './case.ts';
import { contentsOf } from './contents.ts';
import { planCase } from './plan-case.ts';
import type { NotSupported, Passed, Speed } from './result.ts';

const rounds = 7;
const roundMilliseconds = 20;

export async function measureCase(
  backend: Backend,
  c: OpCase,
  seed: number,
): Promise<Pick<Passed, 'outcome' | 'speed'> | Pick<NotSupported, 'outcome' | 'reason'>> {
  const traced = trace(titleOf(c), (g) => c.build(g));
  const plan = planCase(c, backend, traced);
  if ('outcome' in plan) return plan;
  using stack = new DisposableStack();
  const contents = contentsOf(c, traced, plan.buffers, seed);
  const bound: Record<string, Buffer> = {};
  for (const b of plan.buffers) {
    if (b.kind !== 'bound') continue;
    bound[b.name] = stack.use(backend.alloc(b.bytes));
    const values = contents.get(b.name);
    if (values) backend.write(bound[b.name]!, values);
  }
  const program = stack.use(await backend.load(plan, bound));
  const [first] = Object.values(bound);
  const milliseconds = await medianOf(program, c.runs?.[0] ?? [], () =>
    backend.read(first!, 0, Math.min(4, first!.bytes)),
  );
  return { outcome: 'pass', speed: speedOf(plan, milliseconds) };
}

/** Milliseconds of one run. `finished` resolves when all runs so far are done. */
async function medianOf(
  program: Program,
  scalars: readonly number[],
  finished: () => Promise<unknown>,
): Promise<number> {
  const time = async (runs: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) program.run(scalars);
    await finished();
    return performance.now() - start;
  };
  await time(1);
  const once = Math.max(await time(1), 1e-3);
  const runs = Math.max(1, Math.min(2000, Math.round(roundMilliseconds / once)));
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push((await time(runs)) / runs);
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

function speedOf({ buffers, calls }: Plan, milliseconds: number): Speed {
  let [flops, bytes] = [0, 0];
  for (const call of calls) {
    flops += flopsOf(call);
    for (const view of [...readsOf(call), ...writesOf(call)]) bytes += distinctBytes(view, buffers[view.buffer]!);
  }
  const perSecond = 1000 / milliseconds / 1e9;
  return { milliseconds, gflops: flops * perSecond, gbps: bytes * perSecond };
}

/** Multiplications and additions; one for each element of everything but products. */
function flopsOf({ op, inputs, output }: Call): number {
  if (op === 'matmul') return 2 * elements(output.shape) * inputs[0]!.shape.at(-1)!;
  if (op === 'attention')
    return 2 * elements(inputs[0]!.shape) * inputs[1]!.shape[1]! + 2 * elements(output.shape) * inputs[1]!.shape[1]!;
  return Math.max(elements(output.shape), ...inputs.map((v) => elements(v.shape)));
}

/** Bytes of the elements that a view has, each once. */
function distinctBytes({ shape, strides, dtype }: View, planned: PlannedBuffer): number {
  const count = shape.reduce((n, size, axis) => (strides[axis] === 0 ? n : n * size), 1);
  return planned.kind === 'bound' && planned.stored ? storedBytes(planned.stored, count) : count * bytesPer[dtype];
}
