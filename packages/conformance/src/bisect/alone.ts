// One operation of a graph by itself: a graph of nothing else, over whole memories that hold what the operation finds in its place.
import { lower, trace } from '@transept/tensor';
import type { Backend, Buffer, CallNode, Graph, Operand, Plan, Tensor, TracedGraph } from '@transept/tensor';
import { elementsIn } from '../fence.ts';
import type { TypedArray } from '../fence.ts';

/** A graph of one operation. */
export interface Alone {
  readonly traced: TracedGraph;
  /** What to bind: the name there, and the number of the node that made the memory in the graph that it was taken from. */
  readonly memories: ReadonlyMap<string, number>;
  /** The bound memory that the operation writes. */
  readonly written: string;
}

/** Take call `id` out of a graph. Parameters stay parameters, so that backends may pack them as they do in the whole graph. */
export function isolate(graph: Graph, id: number): Alone {
  const node = graph.nodes[id] as CallNode;
  const memories = new Map<string, number>();
  const written = node.into ? 'target' : 'result';
  const traced = trace(node.label, (g) => {
    g.scalars.push(...graph.scalars);
    const target = node.into && graph.rootOf(node.into.node);
    const made = new Map<number, Tensor>();
    const memoryOf = (root: number): Tensor => {
      const known = made.get(root);
      if (known) return known;
      const { shape, dtype, ...rest } = graph.nodes[root]!;
      const isParameter = rest.kind === 'bound' && rest.role === 'parameter';
      const name = root === target ? written : isParameter ? rest.name : `value ${root}`;
      const tensor =
        root === target
          ? g.state(name, shape, dtype)
          : isParameter
            ? g.parameter(name, shape, dtype)
            : g.input(name, shape, dtype);
      made.set(root, tensor);
      memories.set(name, root);
      return tensor;
    };
    const view = (o: Operand): Tensor => g.view(memoryOf(graph.rootOf(o.node)).node, o);
    const into = node.into && view(node.into);
    const inputs = node.inputs.map(view);
    if (into) {
      g.write(node.op, into, inputs, node.attrs, node.label);
      return {};
    }
    return { [written]: g.call(node.op, inputs, node.attrs, node.shape, node.dtype, node.label) };
  });
  return { traced, memories, written };
}

/** Run one operation on a backend, and give the memory that it wrote. */
export async function runAlone(
  { traced, written }: Alone,
  backend: Backend,
  contents: (name: string) => ArrayBufferView,
  scalars: readonly number[],
): Promise<TypedArray> {
  const plan = lower(traced, backend);
  const { dtype, shape } = boundOf(plan, written);
  const [bytes] = await runPlan(plan, backend, contents, scalars, [written]);
  return elementsIn(
    dtype,
    bytes!,
    shape.reduce((n, d) => n * d, 1),
  );
}

/** Run a plan in memory of its own, and read some of its buffers afterwards. */
export async function runPlan(
  plan: Plan,
  backend: Backend,
  contents: (name: string) => ArrayBufferView | undefined,
  scalars: readonly number[],
  read: readonly string[],
): Promise<Uint8Array<ArrayBuffer>[]> {
  using owned = new DisposableStack();
  const bound: Record<string, Buffer> = {};
  for (const planned of plan.buffers) {
    if (planned.kind !== 'bound') continue;
    const buffer = owned.use(backend.alloc(planned.bytes));
    const values = planned.role === 'output' ? undefined : contents(planned.name);
    if (values) backend.write(buffer, wholeWords(values));
    bound[planned.name] = buffer;
  }
  const program = owned.use(await backend.load(plan, bound));
  program.run(scalars);
  return Promise.all(read.map((name) => backend.read(bound[name]!, 0, boundOf(plan, name).bytes)));
}

function boundOf(plan: Plan, name: string) {
  for (const b of plan.buffers) if (b.kind === 'bound' && b.name === name) return b;
  throw new RangeError(`bisect: nothing called "${name}" in plan "${plan.name}"`);
}

/** Devices are written to in pieces of four bytes. */
function wholeWords(values: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (bytes.length % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
}
