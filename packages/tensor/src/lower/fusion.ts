// The nodes of a graph while they are joined: who reads what, what may be moved where, and what a backend takes in one kernel.
import type { Backend } from '../backend.ts';
import { isWhole } from '../graph.ts';
import type { CallNode, Graph, Node, Operand, TracedGraph } from '../graph.ts';
import type { Note } from '../plan.ts';
import { reshapeLayout, sameLayout } from '../shape.ts';
import type { Shape } from '../shape.ts';
import { draftCall, keepsPrecision, kernelFor } from './decompose.ts';

/** Nodes after fusion, by number; undefined where a node was joined to another or is not needed. */
export type FusedNodes = (Node | undefined)[];

export class Fusion {
  readonly graph: Graph;
  readonly backend: Backend;
  readonly nodes: FusedNodes;
  readonly #notes: Note[];
  /** Nodes that leave the graph. */
  readonly #kept: ReadonlySet<number>;
  readonly #readers: ReadonlyMap<number, Set<number>>;

  constructor({ graph, outputs }: TracedGraph, backend: Backend, notes: Note[]) {
    this.graph = graph;
    this.backend = backend;
    this.nodes = [...graph.nodes];
    this.#notes = notes;
    this.#kept = new Set(Object.values(outputs).map((t) => t.node));
    this.#readers = liveReaders(graph, this.nodes, this.#kept);
  }

  /** Visit the calls that are left, in order. */
  calls(visit: (node: CallNode, id: number) => void): void {
    for (let id = 0; id < this.nodes.length; id++) {
      const node = this.nodes[id];
      if (node?.kind === 'call') visit(node, id);
    }
  }

  call(id: number): CallNode | undefined {
    const node = this.nodes[id];
    return node?.kind === 'call' ? node : undefined;
  }

  kernel(node: CallNode) {
    return kernelFor(this.backend, node.op)!;
  }

  /** Who reads a node, in order. */
  readersOf(id: number): readonly number[] {
    return [...this.#readers.get(id)!].sort((a, b) => a - b);
  }

  /** Is a node read by one other alone? Then nobody misses it when that takes it over. */
  isOnlyFor(id: number, reader: number): boolean {
    return !this.#kept.has(id) && this.#readers.get(id)!.size === 1 && this.#readers.get(id)!.has(reader);
  }

  /** The call behind an operand when it can be moved to its only reader, number `to`. */
  movable(o: Operand, to: number): CallNode | undefined {
    const node = this.call(o.node);
    if (!node || node.into || node.epilogue || !this.isOnlyFor(o.node, to)) return undefined;
    if (!isWhole(this.graph, o) || !keepsPrecision(node)) return undefined;
    return this.readsTheSame(o.node, to) ? node : undefined;
  }

  /** Would a call find the same in its inputs if it came in the place of number `to`? */
  readsTheSame(from: number, to: number): boolean {
    return operands(this.call(from)!).every(
      (o) => !this.#isTouched(this.graph.rootOf(o.node), from, to + 1, writtenBy),
    );
  }

  /** Does a call read or write the memory of a node besides its own result? */
  uses(call: CallNode, node: number): boolean {
    return usedBy(call).some((n) => this.graph.rootOf(n) === this.graph.rootOf(node));
  }

  /** Does a call between two others read or write the memory of a node? */
  isUsedBetween(node: number, after: number, before: number): boolean {
    return this.#isTouched(this.graph.rootOf(node), after, before, usedBy);
  }

  #isTouched(root: number, after: number, before: number, by: typeof usedBy): boolean {
    for (let id = after + 1; id < before; id++) {
      const node = this.call(id);
      if (node && by(node).some((n) => this.graph.rootOf(n) === root)) return true;
    }
    return false;
  }

  /** Does the backend take such a call in one kernel? */
  fits(node: CallNode, id: number): boolean {
    const memories = [...usedBy(node), id].map((n) => this.graph.rootOf(n));
    if (new Set(memories).size > this.backend.capabilities.maxBindings) return false;
    return this.kernel(node).declines?.(draftCall(this.graph, node, id), this.backend.capabilities) === undefined;
  }

  /** Put a node in the place of number `id`, which now does what number `from` did. */
  replace(id: number, node: CallNode, from: number): void {
    const joined = this.call(from)!;
    const detail = `${joined.op} and ${this.call(id)!.op}`;
    this.#notes.push({ kind: 'fused', op: node.op, label: node.label, detail });
    for (const o of operands(joined)) {
      this.#readers.get(o.node)!.delete(from);
      if (o.node !== id) this.#readers.get(o.node)!.add(id);
    }
    this.nodes[from] = undefined;
    this.nodes[id] = node;
  }
}

/** What a call reads; what it writes into is among it, as it may keep a part of that. */
const operands = (node: CallNode): readonly Operand[] => [
  ...node.inputs,
  ...(node.prologue?.inputs ?? []),
  ...(node.epilogue?.inputs ?? []),
  ...targets(node),
];

const targets = ({ into, prologue, stores = [] }: CallNode): readonly Operand[] => [
  ...(into ? [into] : []),
  ...(prologue?.output ? [prologue.output] : []),
  ...stores.map((s) => s.into),
];

/** Nodes whose memory a call reads or writes besides its own result. */
export const usedBy = (node: CallNode): readonly number[] => operands(node).map((o) => o.node);
/** Nodes whose memory a call writes besides its own result. */
export const writtenBy = (node: CallNode): readonly number[] => targets(node).map((o) => o.node);

/** An operand in another shape, or undefined where only a copy could give it. */
export function reshaped(o: Operand, shape: Shape): Operand | undefined {
  const layout = reshapeLayout(o, shape);
  return layout && { node: o.node, ...layout };
}

/** The position of an operand in a list, added if it is new. */
export function place(list: Operand[], o: Operand): number {
  const known = list.findIndex((x) => isSame(x, o));
  return known >= 0 ? known : list.push(o) - 1;
}

export const isSame = (a: Operand, b: Operand): boolean => a.node === b.node && sameLayout(a, b);

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
