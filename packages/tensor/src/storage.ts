// How the values of a weight may be stored. To a graph a weight is f32 whatever its storage: which one it has is said when the
// graph is lowered, stands in the plan, and is a matter of matmul and gather, the only operations that may read such a weight.
// `q8` and `q4` are the blocks Q8_0 and Q4_0 of GGUF files (ggml-common.h): 32 values of a row, a scale d in f16, then
// 32 whole numbers q, the value being d · q.
import { UnsupportedError } from './errors.ts';
import type { Capabilities } from './backend.ts';
import type { Graph, Operand } from './graph.ts';
import { readsOf } from './joined.ts';
import type { Call, PlannedBuffer, View } from './plan.ts';
import { formatShape } from './shape.ts';
import type { Shape } from './shape.ts';

export type Storage = 'f16' | 'bf16' | 'q8' | 'q4';

/** What is stored together: this many values of a row, in this many bytes. */
export const storageBlock: Readonly<Record<Storage, { readonly elements: number; readonly bytes: number }>> = {
  f16: { elements: 1, bytes: 2 },
  bf16: { elements: 1, bytes: 2 },
  q8: { elements: 32, bytes: 34 },
  q4: { elements: 32, bytes: 18 },
};

/** Bytes that so many values take, whole blocks of them. */
export const storedBytes = (storage: Storage, count: number): number =>
  (count / storageBlock[storage].elements) * storageBlock[storage].bytes;

/** Can a weight of this shape be stored so? Matrices whose rows are whole blocks can. */
export const canStore = (storage: Storage, shape: Shape): boolean =>
  shape.length === 2 && shape[1]! % storageBlock[storage].elements === 0;

/** Parameters that a graph reads in no other way than a stored weight can be read. */
export function storableParameters(graph: Graph): Set<string> {
  const names = new Map(
    graph.nodes.flatMap((n, id) => (n.kind === 'bound' && n.role === 'parameter' ? [[id, n.name] as const] : [])),
  );
  const storable = new Set(graph.parameters.keys());
  for (const [name, { shape, source }] of graph.parameters)
    if (shape.length !== 2 || 'values' in source) storable.delete(name);
  for (const node of graph.nodes) {
    if (node.kind !== 'call') continue;
    node.inputs.forEach((o, i) => {
      const name = names.get(o.node);
      if (name !== undefined && !readsRows(node.op, i, o, graph.parameters.get(name)!.shape)) storable.delete(name);
    });
    for (const o of node.epilogue?.inputs ?? []) storable.delete(names.get(o.node) ?? '');
  }
  return storable;
}

/** Is input `i` of a call one through which rows of a stored weight [N, K] are read? */
function readsRows(op: Call['op'], i: number, { shape, strides, offset }: Operand | View, [, width]: Shape): boolean {
  if (shape.length !== 2 || offset % width! !== 0) return false;
  if (op === 'gather') return i === 0 && shape[1] === width && strides[1] === 1 && strides[0] === width;
  return (
    op === 'matmul' && i === 1 && shape[0] === width && strides[0] === 1 && (strides[1] === width || shape[1] === 1)
  );
}

/** Throws an UnsupportedError where a device cannot have a weight so, or where something other than its rows is read. */
export function checkStored(
  plan: string,
  backend: string,
  buffers: readonly PlannedBuffer[],
  calls: readonly Call[],
  can: Capabilities,
): void {
  for (const b of buffers) {
    if (b.kind !== 'bound' || !b.stored) continue;
    const { name, stored, shape } = b;
    if (!can.weights?.has(stored))
      throw new UnsupportedError(
        `lower: "${name}" is stored as ${stored}; ${backend} takes ${['f32', ...(can.weights ?? [])].join(', ')}`,
      );
    if (!canStore(stored, shape))
      throw new UnsupportedError(
        `lower: "${name}" ${formatShape(shape)} is stored as ${stored}; that takes a matrix with rows of whole blocks of ${storageBlock[stored].elements}`,
      );
  }
  const storedOf = (v: View): Extract<PlannedBuffer, { kind: 'bound' }> | undefined => {
    const b = buffers[v.buffer]!;
    return b.kind === 'bound' && b.stored ? b : undefined;
  };
  for (const call of calls) {
    const { op, inputs, label } = call;
    const odd = readsOf(call).find((v) => storedOf(v) && !readsRows(op, inputs.indexOf(v), v, storedOf(v)!.shape));
    if (odd)
      throw new UnsupportedError(
        `lower: ${op} in ${label} of "${plan}" reads "${storedOf(odd)!.name}", stored as ${storedOf(odd)!.stored}; only gather of its rows and matmul with its rows as columns can`,
      );
  }
}

const half = new Float32Array(1);
const halfBits = new Uint32Array(half.buffer);

/** The value of the bits of an f16. */
export function f16Value(bits: number): number {
  const magnitude = bits & 0x7fff;
  // With the exponent where f32 has it the value is 2^-112 times too small, subnormal numbers included.
  halfBits[0] = magnitude >= 0x7c00 ? 0x7f800000 | (magnitude << 13) : magnitude << 13;
  const size = magnitude >= 0x7c00 ? half[0]! : half[0]! * 2 ** 112;
  return bits & 0x8000 ? -size : size;
}

/** The values of stored blocks: what every kernel that reads them has to compute with. */
export function expandStored(storage: Storage, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const block = storageBlock[storage];
  const count = Math.floor(bytes.length / block.bytes);
  const out = new Float32Array(count * block.elements);
  const word = (at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
  for (let i = 0, at = 0, o = 0; i < count; i++, at += block.bytes, o += block.elements)
    switch (storage) {
      case 'f16':
        out[o] = f16Value(word(at));
        break;
      case 'bf16':
        halfBits[0] = word(at) << 16;
        out[o] = half[0]!;
        break;
      case 'q8': {
        const d = f16Value(word(at));
        for (let j = 0; j < 32; j++) out[o + j] = d * ((bytes[at + 2 + j]! << 24) >> 24);
        break;
      }
      case 'q4': {
        const d = f16Value(word(at));
        for (let j = 0; j < 16; j++) {
          const pair = bytes[at + 2 + j]!;
          out[o + j] = d * ((pair & 15) - 8);
          out[o + 16 + j] = d * ((pair >> 4) - 8);
        }
        break;
      }
      default:
        storage satisfies never;
    }
  return out;
}
