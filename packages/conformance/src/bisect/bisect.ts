// Why do two backends give different answers? Every operation of a graph runs on both of them with the same inputs, those of the
// first, so that an error shows where it is made and not where it ends up. The operations are those that the model asked for, each
// alone: backends fuse and arrange them in ways of their own, and only here do they have points in common. What fusion adds is
// checked by `asLowered`.
import { elements, expr } from '@transept/tensor';
import type { Backend, CallNode, DType, Expr, Graph, OpName, Operand, Shape, TracedGraph } from '@transept/tensor';
import { newElements } from '../fence.ts';
import type { TypedArray } from '../fence.ts';
import { isolate, runAlone } from './alone.ts';
import { expectedOf } from './exact.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';

export interface BisectInputs {
  /** What an input, state or parameter of the graph holds, by its name. */
  contents(name: string): TypedArray | Promise<TypedArray>;
  /** The scalars of the run. */
  readonly scalars?: readonly number[];
}

export interface BisectOptions {
  readonly signal?: AbortSignal;
}

/** One operation on both backends. */
export interface OperationReport extends Judgement {
  /** Counted from 1 on, of how many. */
  readonly number: number;
  readonly operations: number;
  readonly op: OpName;
  /** Where in the model it was asked for. */
  readonly label: string;
  /** Parameters that it reads, by their names in the checkpoint. */
  readonly parameters: readonly string[];
  readonly inputs: readonly { readonly dtype: DType; readonly shape: Shape }[];
  readonly dtype: DType;
  readonly shape: Shape;
  /** What a pointwise operation computes. */
  readonly expression?: string;
  /** Do the results lie further apart than their bound? */
  readonly differs: boolean;
}

/** Compare two backends operation by operation, in the order of the graph. Stop iterating to stop. */
export async function* bisect(
  { graph }: TracedGraph,
  { contents, scalars = [] }: BisectInputs,
  backends: readonly [Backend, Backend],
  { signal }: BisectOptions = {},
): AsyncGenerator<OperationReport, void, undefined> {
  const calls = [...graph.nodes.keys()].filter((id) => {
    const node = graph.nodes[id]!;
    return node.kind === 'call' && elements(node.into?.shape ?? node.shape) > 0;
  });
  const lastUse = lastUses(graph, calls);
  const memories = new Map<number, TypedArray>();
  const arithmetics = backends.map((b) => b.capabilities.arithmetic ?? 'ieee');

  for (const [i, id] of calls.entries()) {
    signal?.throwIfAborted();
    const node = graph.nodes[id] as CallNode;
    const alone = isolate(graph, id);
    for (const root of alone.memories.values())
      if (!memories.has(root)) memories.set(root, await initial(graph, root, contents));
    const memory = (root: number): TypedArray => memories.get(root)!;
    const run = (backend: Backend): Promise<TypedArray> =>
      runAlone(alone, backend, (name) => memory(alone.memories.get(name)!), scalars);
    const results = [await run(backends[0]), await run(backends[1])] as const;
    const same = results[0].every((x, k) => Object.is(x, results[1][k]));
    const expected = same ? undefined : expectedOf({ graph, node, alone, memory, scalars }, results, arithmetics);
    const judged = expected ? judge(results, expected.allowed, node.shape, expected.places) : agreed(results[0]);
    yield { ...described(graph, node, i + 1, calls.length), ...judged, differs: judged.beyond > 0 };

    memories.set(graph.rootOf(id), results[0]);
    for (const root of [...memories.keys()]) if (lastUse.get(root)! <= id) memories.delete(root);
  }
}

const agreed = ({ length }: TypedArray): Judgement => ({ difference: 0, beyond: 0, of: length, worst: [], wrong: [] });

/** Memory before anything was written to it: what the caller says, or zeros. */
async function initial(graph: Graph, root: number, contents: BisectInputs['contents']): Promise<TypedArray> {
  const node = graph.nodes[root]!;
  if (node.kind !== 'bound') return newElements(node.dtype, elements(node.shape));
  const source = graph.parameters.get(node.name)?.source;
  return source && 'values' in source ? (source.values as TypedArray) : contents(node.name);
}

/** The last call that needs each memory, by the node that made it. */
function lastUses(graph: Graph, calls: readonly number[]): Map<number, number> {
  const last = new Map<number, number>();
  for (const id of calls) {
    const node = graph.nodes[id] as CallNode;
    for (const o of [...node.inputs, ...(node.into ? [node.into] : [])]) last.set(graph.rootOf(o.node), id);
    last.set(graph.rootOf(id), id);
  }
  return last;
}

function described(graph: Graph, node: CallNode, number: number, operations: number) {
  const bound = (o: Operand): string[] => {
    const root = graph.nodes[graph.rootOf(o.node)]!;
    return root.kind === 'bound' && root.role === 'parameter' ? [root.name] : [];
  };
  const expression = node.attrs['expr'] as Expr | undefined;
  return {
    number,
    operations,
    op: node.op,
    label: node.label,
    parameters: [...new Set(node.inputs.flatMap(bound))],
    inputs: node.inputs.map((o) => ({ dtype: graph.nodes[o.node]!.dtype, shape: o.shape })),
    dtype: node.dtype,
    shape: node.into?.shape ?? node.shape,
    ...(expression && { expression: expr.formatExpr(expression) }),
  };
}
