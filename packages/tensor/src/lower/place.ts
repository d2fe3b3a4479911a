// Last step of lowering: every value gets its place in memory before the first run. Lifetimes are known, so memory is used
// again after a value's last reader. Two policies: `arena` packs ranges of one buffer, `slots` reuses whole buffers.
import { bytesPer } from '../dtype.ts';
import type { Capabilities } from '../backend.ts';
import { UnsupportedError } from '../errors.ts';
import type { Graph } from '../graph.ts';
import type { PlannedBuffer } from '../plan.ts';
import { elements } from '../shape.ts';
import type { Shape } from '../shape.ts';
import { storedBytes } from '../storage.ts';
import type { Storage } from '../storage.ts';
import { usedBy, writtenBy } from './fusion.ts';
import type { FusedNodes } from './fusion.ts';

/** Where a node's value lies: a planned buffer and a byte offset in it. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

interface Lifetime {
  readonly node: number;
  readonly bytes: number;
  /** Numbers of the first node that writes it and the last one that reads it. */
  readonly first: number;
  last: number;
}

export interface Placement {
  readonly buffers: PlannedBuffer[];
  /** By the number of the node that made the memory (`Graph.rootOf`). */
  readonly places: ReadonlyMap<number, Place>;
}

/** Place bound nodes, the outputs (by the node that made their memory) and all temporaries. */
export function placeNodes(
  graph: Graph,
  nodes: FusedNodes,
  outputs: ReadonlyMap<number, { readonly name: string; readonly shape: Shape }>,
  readback: ReadonlySet<string>,
  can: Capabilities,
  stored: ReadonlyMap<string, Storage> = new Map(),
): Placement {
  const buffers: PlannedBuffer[] = [];
  const places = new Map<number, Place>();
  const temporaries = new Map<number, Lifetime>();
  const read = new Set<number>();

  /** Memory that call `id` is the first to write. */
  const begin = (root: number, id: number): void => {
    if (places.has(root) || temporaries.has(root) || graph.nodes[root]!.kind === 'bound') return;
    const { shape, dtype } = nodes[root] ?? graph.nodes[root]!;
    const bytes = byteSize(graph.name, elements(shape) * bytesPer[dtype], can);
    const output = outputs.get(root);
    if (!output) temporaries.set(root, { node: root, bytes, first: id, last: id });
    else {
      const bound = {
        kind: 'bound',
        role: 'output',
        bytes,
        dtype,
        ...output,
        readback: readback.has(output.name),
      } as const;
      places.set(root, { buffer: buffers.push(bound) - 1, offset: 0 });
    }
  };
  nodes.forEach((node, id) => {
    if (node?.kind !== 'call') return;
    for (const used of usedBy(node)) {
      const root = graph.rootOf(used);
      read.add(root);
      const life = temporaries.get(root);
      if (life) life.last = id;
    }
    for (const written of [id, ...writtenBy(node)]) begin(graph.rootOf(written), id);
  });
  graph.nodes.forEach((node, id) => {
    if (node.kind !== 'bound' || !read.has(id)) return;
    const { name, role, shape, dtype } = node;
    const storage = role === 'parameter' ? stored.get(name) : undefined;
    const count = elements(shape);
    const bytes = byteSize(name, storage ? storedBytes(storage, count) : count * bytesPer[dtype], can);
    const bound = { kind: 'bound', name, role, bytes, dtype, shape, ...(storage && { stored: storage }) } as const;
    places.set(id, { buffer: buffers.push({ ...bound, readback: readback.has(name) }) - 1, offset: 0 });
  });

  const lifetimes = [...temporaries.values()].filter((t) => t.bytes > 0);
  for (const t of temporaries.values()) if (t.bytes === 0) places.set(t.node, { buffer: 0, offset: 0 });
  if (can.memory === 'arena') arena(lifetimes, buffers, places, can.alignment);
  else slots(lifetimes, buffers, places, can.alignment);
  return { buffers, places };
}

/** Largest values first, each at the lowest offset that is free during its whole life. */
function arena(lifetimes: Lifetime[], buffers: PlannedBuffer[], places: Map<number, Place>, alignment: number): void {
  const buffer = buffers.length;
  const placed: (Lifetime & { offset: number; size: number })[] = []; // by offset
  for (const life of lifetimes.toSorted((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const size = align(life.bytes, alignment);
    let offset = 0;
    for (const other of placed) {
      if (other.last < life.first || other.first > life.last) continue;
      if (offset + size <= other.offset) break;
      offset = Math.max(offset, other.offset + other.size);
    }
    places.set(life.node, { buffer, offset });
    placed.push({ ...life, offset, size });
    placed.sort((a, b) => a.offset - b.offset);
  }
  const bytes = Math.max(0, ...placed.map((p) => p.offset + p.size));
  if (bytes > 0) buffers.push({ kind: 'temporary', bytes });
}

/** In order of their first use, each in the free buffer nearest in size, grown if it is smaller. */
function slots(lifetimes: Lifetime[], buffers: PlannedBuffer[], places: Map<number, Place>, alignment: number): void {
  const open: { buffer: number; bytes: number; free: number }[] = [];
  for (const life of lifetimes) {
    const bytes = align(life.bytes, alignment);
    const [best] = open
      .filter((s) => s.free < life.first)
      .sort((a, b) => Math.abs(a.bytes - bytes) - Math.abs(b.bytes - bytes));
    const slot = best ?? { buffer: buffers.push({ kind: 'temporary', bytes }) - 1, bytes, free: 0 };
    if (!best) open.push(slot);
    slot.bytes = Math.max(slot.bytes, bytes);
    slot.free = life.last;
    buffers[slot.buffer] = { kind: 'temporary', bytes: slot.bytes };
    places.set(life.node, { buffer: slot.buffer, offset: 0 });
  }
}

const align = (n: number, to: number): number => Math.ceil(n / to) * to;

function byteSize(name: string, bytes: number, { maxBufferBytes }: Capabilities): number {
  if (bytes > maxBufferBytes)
    throw new UnsupportedError(
      `lower: "${name}" takes a buffer of ${bytes} bytes; this device allows ${maxBufferBytes}`,
    );
  return align(bytes, 4);
}
