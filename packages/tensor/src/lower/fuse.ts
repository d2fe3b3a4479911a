// Second step of lowering: fewer, larger kernels. Chains of pointwise operations become one expression; a pointwise
// operation on the result of another kernel becomes that kernel's epilogue; a copy of a pointwise result into a part of
// another tensor becomes a pointwise operation that writes there. What nothing reads goes away.
import type { Backend } from '../backend.ts';
import { input, substitute, walk } from '../expr.ts';
import type { Expr } from '../expr.ts';
import { isWhole } from '../graph.ts';
import type { CallNode, Graph, Node, Operand, TracedGraph } from '../graph.ts';
import type { Note } from '../plan.ts';
import { reshapeLayout, sameLayout, sameShape } from '../shape.ts';
import { draftCall, keepsPrecision, kernelFor } from './decompose.ts';

/** Nodes after fusion, by number; undefined where a node was joined to another or is not needed. */
export type FusedNodes = (Node | undefined)[];

export function fuse({ graph, outputs }: TracedGraph, backend: Backend, notes: Note[]): FusedNodes {
  const nodes: FusedNodes = [...graph.nodes];
  const kept = new Set(Object.values(outputs).map((t) => t.node));
  const readers = liveReaders(graph, nodes, kept);
  const { maxBindings } = backend.capabilities;

  /** The call behind an operand when it can be moved to its only reader, number `to`. */
  const movable = (o: Operand, to: number): CallNode | undefined => {
    const node = nodes[o.node];
    if (node?.kind !== 'call' || node.into || node.epilogue) return undefined;
    if (kept.has(o.node) || readers.get(o.node)!.size !== 1 || !isWhole(graph, o) || !keepsPrecision(node))
      return undefined;
    return node.inputs.some((i) => writtenBetween(graph, nodes, i.node, o.node, to)) ? undefined : node;
  };
  /** Put a node in the place of number `id`, which now reads what number `from` read. */
  const replace = (id: number, node: CallNode, from: number): void => {
    const joined = nodes[from] as CallNode;
    notes.push({
      kind: 'fused',
      op: node.op,
      label: node.label,
      detail: `${joined.op} and ${(nodes[id] as CallNode).op}`,
    });
    for (const i of operands(joined)) {
      readers.get(i.node)!.delete(from);
      readers.get(i.node)!.add(id);
    }
    nodes[from] = undefined;
    nodes[id] = node;
  };
  const fits = (node: CallNode, id: number): boolean =>
    new Set([...operands(node).map((o) => graph.rootOf(o.node)), graph.rootOf(id)]).size <= maxBindings &&
    kernelFor(backend, node.op)!.declines?.(draftCall(graph, node, id), backend.capabilities) === undefined;

  const calls = (visit: (node: CallNode, id: number) => void): void => {
    for (let id = 0; id < nodes.length; id++) {
      const node = nodes[id];
      if (node?.kind === 'call') visit(node, id);
    }
  };

  const joinChain = (node: CallNode, id: number): void => {
    for (const o of node.inputs) {
      const from = movable(o, id);
      const joined = from?.op === 'pointwise' ? inline(node, o, from) : undefined;
      if (!joined || !fits(joined, id)) continue;
      replace(id, joined, o.node);
      return joinChain(joined, id);
    }
  };
  const writeThrough = (node: CallNode, id: number): void => {
    const [source] = node.inputs;
    const from = movable(source!, id);
    if (from?.op !== 'pointwise' || from.dtype !== node.dtype || !sameShape(source!.shape, from.shape)) return;
    if (from.inputs.some((i) => graph.rootOf(i.node) === graph.rootOf(id))) return;
    const joined: CallNode = { ...from, into: node.into!, shape: node.shape, label: node.label };
    if (fits(joined, id)) replace(id, joined, source!.node);
  };
  const joinEpilogue = (node: CallNode, id: number): void => {
    const producers = [...new Set(node.inputs.map((o) => o.node))].sort((a, b) => b - a);
    for (const producer of producers) {
      const at = node.inputs.find((o) => o.node === producer)!;
      const from = movable(at, id);
      if (!from || !kernelFor(backend, from.op)!.epilogue) continue;
      const joined = asEpilogue(node, at, from);
      if (joined && fits(joined, id)) return replace(id, joined, producer);
    }
  };

  calls((node, id) => node.op === 'pointwise' && joinChain(node, id));
  calls((node, id) => node.op === 'copy' && node.into && writeThrough(node, id));
  calls((node, id) => node.op === 'pointwise' && !node.into && joinEpilogue(node, id));
  return nodes;
}

const operands = (node: CallNode): readonly Operand[] => [
  ...node.inputs,
  ...(node.epilogue?.inputs ?? []),
  ...(node.into ? [node.into] : []),
];

/** Who reads each node; nodes that neither an output nor a bound state depends on are dropped. */
function liveReaders(graph: Graph, nodes: FusedNodes, kept: ReadonlySet<number>): Map<number, Set<number>> {
  const readers = new Map(nodes.map((_, id) => [id, new Set<number>()]));
  for (let id = nodes.length - 1; id >= 0; id--) {
    const node = nodes[id]!;
    if (node.kind !== 'call') continue;
    const writesState = node.into !== undefined && graph.nodes[graph.rootOf(id)]!.kind === 'bound';
    if (!kept.has(id) && !writesState && readers.get(id)!.size === 0) nodes[id] = undefined;
    else for (const o of operands(node)) readers.get(o.node)!.add(id);
  }
  return readers;
}

/** Is the memory of a node written by a node after `after`, up to `to`? Reading it later would then read something else. */
function writtenBetween(graph: Graph, nodes: FusedNodes, node: number, after: number, to: number): boolean {
  const root = graph.rootOf(node);
  for (let id = after + 1; id <= to; id++) {
    const other = nodes[id];
    if (other?.kind === 'call' && other.into && graph.rootOf(id) === root) return true;
  }
  return false;
}

/** The expression of `from` in the place of `node`'s input `at`. */
function inline(node: CallNode, at: Operand, from: CallNode): CallNode | undefined {
  const shape = node.into?.shape ?? node.shape;
  const sameAxes = sameShape(from.shape, shape);
  const expr = from.attrs['expr'] as Expr;
  if (!sameShape(at.shape, shape) || (!sameAxes && usesIndex(expr))) return undefined;
  if (node.inputs.some((o) => o.node === at.node && !isSame(o, at))) return undefined; // read in another order as well
  const seen = from.inputs.map((o) => reshaped(o, shape));
  if (seen.some((o) => o === undefined)) return undefined;
  const inputs: Operand[] = [];
  const own = substitute(node.attrs['expr'] as Expr, (i) =>
    isSame(node.inputs[i]!, at)
      ? substitute(expr, (j) => input(place(inputs, seen[j]!)))
      : input(place(inputs, node.inputs[i]!)),
  );
  return exprSize(own) > largestExpr ? undefined : { ...node, attrs: { ...node.attrs, expr: own }, inputs };
}
/** Expressions are trees, so a value used twice is written twice; this keeps repeated doubling within bounds. */
const largestExpr = 256;

/** `from` with the pointwise `node` as its epilogue. */
function asEpilogue(node: CallNode, at: Operand, from: CallNode): CallNode | undefined {
  const expr = node.attrs['expr'] as Expr;
  if (!sameShape(from.shape, node.shape) && usesIndex(expr)) return undefined;
  const inputs: Operand[] = [];
  let possible = true;
  const own = substitute(expr, (i) => {
    const o = node.inputs[i]!;
    if (isSame(o, at)) return input(0);
    const seen = o.node === at.node ? undefined : reshaped(o, from.shape);
    possible &&= seen !== undefined;
    return input(1 + (seen ? place(inputs, seen) : 0));
  });
  if (!possible) return undefined;
  return { ...from, epilogue: { expr: own, inputs }, shape: from.shape, dtype: node.dtype };
}

const isSame = (a: Operand, b: Operand): boolean => a.node === b.node && sameLayout(a, b);

/** The position of an operand in a list, added if it is new. */
function place(list: Operand[], o: Operand): number {
  const known = list.findIndex((x) => isSame(x, o));
  return known >= 0 ? known : list.push(o) - 1;
}

function reshaped(o: Operand, shape: readonly number[]): Operand | undefined {
  const layout = reshapeLayout(o, shape);
  return layout && { node: o.node, ...layout };
}

function usesIndex(expr: Expr): boolean {
  let found = false;
  walk(expr, (e) => (found ||= e.kind === 'index'));
  return found;
}

function exprSize(expr: Expr): number {
  let size = 0;
  walk(expr, () => size++);
  return size;
}
