// Lowering: a traced graph becomes a plan for one backend. decompose → fuse → place.
import type { Backend } from '../backend.ts';
import { bytesPer } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { isWhole } from '../graph.ts';
import type { Operand, Tensor, TracedGraph } from '../graph.ts';
import { copy } from '../ops/copy.ts';
import type { Call, Note, Plan, View } from '../plan.ts';
import { elements, whole } from '../shape.ts';
import { checkStored } from '../storage.ts';
import type { Storage } from '../storage.ts';
import { callOf, decompose } from './decompose.ts';
import { fuse } from './fuse.ts';
import { placeNodes } from './place.ts';

export interface LowerOptions {
  /** Bound buffers that `Program.read` will be asked for: they are copied out with every run. */
  readonly readback?: readonly string[];
  /** How the values of parameters are stored, by name. Default: as the graph says. */
  readonly stored?: ReadonlyMap<string, Storage>;
}

/** Make a plan for a backend. Throws an UnsupportedError where the backend cannot do what the graph asks for. */
export function lower(traced: TracedGraph, backend: Backend, { readback = [], stored }: LowerOptions = {}): Plan {
  const notes: Note[] = [];
  const decomposed = decompose(traced, backend, notes);
  const { graph } = decomposed;
  const outputs = ownOutputs(decomposed);
  const nodes = fuse({ graph, outputs }, backend, notes);
  const leaving = new Map(
    Object.entries(outputs).map(([name, { node, shape }]) => [graph.rootOf(node), { name, shape }]),
  );
  const { buffers, places } = placeNodes(graph, nodes, leaving, new Set(readback), backend.capabilities, stored);
  for (const name of readback)
    if (!buffers.some((b) => b.kind === 'bound' && b.name === name))
      throw new ShapeError(
        `lower: nothing called "${name}" to read back in "${graph.name}"; there is ${boundNames(buffers)}`,
      );

  const view = (o: Operand): View => {
    const { dtype } = graph.nodes[o.node]!;
    const { buffer, offset } = places.get(graph.rootOf(o.node))!;
    return { buffer, dtype, offset: offset / bytesPer[dtype] + o.offset, shape: o.shape, strides: o.strides };
  };
  const calls = nodes.flatMap((node, id): Call[] => {
    if (node?.kind !== 'call') return [];
    const at = places.get(graph.rootOf(id))!;
    const full = whole(node.shape);
    const output = node.into
      ? view(node.into)
      : { buffer: at.buffer, dtype: node.dtype, ...full, offset: at.offset / bytesPer[node.dtype] };
    return elements(output.shape) === 0 ? [] : [callOf(node, view, output)];
  });
  checkStored(graph.name, backend.name, buffers, calls, backend.capabilities);
  return { name: graph.name, backend: backend.name, buffers, calls, scalars: graph.scalars, notes };
}

/** Outputs lie in buffers of their own: what is a view, an input, or leaves under two names is copied. */
function ownOutputs({ graph, outputs }: TracedGraph): Record<string, Tensor> {
  const taken = new Set<number>();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, t]) => {
      if (graph.nodes.some((n) => n.kind === 'bound' && n.name === name))
        throw new ShapeError(`lower: output "${name}" of "${graph.name}" has the name of an input; give it another`);
      const root = graph.rootOf(t.node);
      const own = isWhole(graph, t) && graph.nodes[root]!.kind !== 'bound' && !taken.has(root) ? t : copy(t);
      taken.add(graph.rootOf(own.node));
      return [name, own];
    }),
  );
}

const boundNames = (buffers: Plan['buffers']): string =>
  buffers.flatMap((b) => (b.kind === 'bound' ? [`"${b.name}"`] : [])).join(', ');
