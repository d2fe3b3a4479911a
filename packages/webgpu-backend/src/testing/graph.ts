// Runs one graph on this backend and on the reference backend, and compares what they leave in outputs and states.
import { expect } from 'vitest';
import { lower, reference, trace } from '@transept/tensor';
import type { Backend, Buffer, Graph, Tensor } from '@transept/tensor';
import { expectClose } from './call.ts';
import { random } from './tensors.ts';

export interface GraphOptions {
  /** Values of the scalars, one list for each run. */
  readonly runs?: readonly (readonly number[])[];
  /** Contents of inputs, parameters and states by name. Default: numbers in [−1, 1). */
  readonly contents?: Readonly<Record<string, readonly number[]>>;
  readonly absolute?: number;
  readonly relative?: number;
}

/** The operations that this backend was given to do. */
export async function compareGraph(
  backend: Backend,
  build: (g: Graph) => Record<string, Tensor>,
  { runs = [[]], contents = {}, absolute = 2e-5, relative = 1e-5 }: GraphOptions = {},
): Promise<string[]> {
  const graph = trace('test', build);
  const [plan, actual] = await runOn(backend, graph, runs, contents);
  const [, expected] = await runOn(reference(), graph, runs, contents);
  for (const [name, values] of Object.entries(expected)) {
    expect(actual[name], name).toBeDefined();
    expectClose(actual[name]!, values, absolute, relative);
  }
  return plan;
}

async function runOn(
  backend: Backend,
  graph: ReturnType<typeof trace>,
  runs: readonly (readonly number[])[],
  contents: Readonly<Record<string, readonly number[]>>,
): Promise<[string[], Record<string, number[]>]> {
  const plan = lower(graph, backend);
  const bound: Record<string, Buffer> = {};
  for (const b of plan.buffers) {
    if (b.kind !== 'bound') continue;
    const buffer = (bound[b.name] = backend.alloc(b.bytes));
    const next = random(b.name.length + b.bytes);
    const given = contents[b.name];
    const values = Array.from(
      { length: b.bytes / 4 },
      (_, i) => given?.[i] ?? (b.role === 'output' ? Number.NaN : next()),
    );
    backend.write(buffer, b.dtype === 'f32' ? new Float32Array(values) : new Int32Array(values));
  }
  const program = await backend.load(plan, bound);
  for (const scalars of runs) program.run(scalars);
  const out: Record<string, number[]> = {};
  for (const b of plan.buffers) {
    if (b.kind !== 'bound' || b.role === 'input' || b.role === 'parameter') continue;
    const bytes = await backend.read(bound[b.name]!);
    out[b.name] = [...(b.dtype === 'f32' ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer))];
  }
  program[Symbol.dispose]();
  for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
  return [plan.calls.map((c) => c.op), out];
}
