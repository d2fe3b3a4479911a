// A function over tensors, run once on the reference backend.
import { lower, reference, trace } from '@transept/tensor';
import type { Buffer, Graph, Tensor } from '@transept/tensor';

export interface Given {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/** What `build` makes of inputs and weights by name. `scalars` are in the order in which it asks for them. */
export async function evaluate(
  given: Readonly<Record<string, Given>>,
  build: (g: Graph, inputs: Readonly<Record<string, Tensor>>) => Tensor,
  scalars: readonly number[] = [],
): Promise<{ shape: readonly number[]; data: number[] }> {
  using backend = reference();
  let shape: readonly number[] = [];
  let dtype = 'f32';
  const traced = trace('test', (g) => {
    const inputs = Object.fromEntries(
      Object.entries(given).map(([name, { shape, data }]) => [
        name,
        g.input(name, shape, data instanceof Int32Array ? 'i32' : 'f32'),
      ]),
    );
    const result = build(g, inputs);
    ({ shape, dtype } = result);
    return { result };
  });
  const plan = lower(traced, backend, { readback: ['result'] });
  const buffers: Record<string, Buffer> = {};
  for (const { name, kind, bytes } of plan.buffers.filter((b) => b.kind === 'bound')) {
    if (kind !== 'bound') continue;
    buffers[name] = backend.alloc(bytes);
    const source = traced.graph.parameters.get(name)?.source;
    const values = source && 'values' in source ? source.values : given[name]?.data;
    if (values) backend.write(buffers[name], values);
  }
  using program = await backend.load(plan, buffers);
  program.run(scalars);
  const { buffer } = await program.read('result');
  return { shape, data: [...(dtype === 'i32' ? new Int32Array(buffer) : new Float32Array(buffer))] };
}
