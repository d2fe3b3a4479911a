// A plan in fenced memory. Every buffer begins some way into the memory it is bound to and ends before that memory does; around
// it, and in everything that is yet to be written, lie sentinels. Temporaries are bound as well, so that they can be looked at.
import { bytesPer, mapViews } from '@transept/tensor';
import type { Capabilities, DType, Plan, PlannedBuffer, View } from '@transept/tensor';

/** Four bytes that are a NaN as f32 and two NaNs as f16, and an unlikely integer. */
export const sentinel = 0x7fed7fed;

export interface FencedBuffer {
  readonly name: string;
  /** Index in the plan, fenced or not. */
  readonly buffer: number;
  readonly role: 'parameter' | 'input' | 'state' | 'output' | 'temporary';
  /** Bytes before the buffer, of the buffer, and of all its memory. */
  readonly before: number;
  readonly bytes: number;
  readonly total: number;
}

export interface FencedPlan {
  readonly plan: Plan;
  readonly buffers: readonly FencedBuffer[];
}

const alignedFence = 256;
const oddFence = 20;
const fenceAfter = 64;

export function fence(plan: Plan, start: 'aligned' | 'odd', { alignment }: Capabilities): FencedPlan {
  const buffers = plan.buffers.map((planned, i): FencedBuffer => {
    const temporary = planned.kind === 'temporary';
    // Blocks of a stored weight begin where its buffer does.
    const before =
      !temporary && planned.stored
        ? 0
        : temporary
          ? Math.ceil(alignedFence / alignment) * alignment
          : start === 'odd'
            ? oddFence
            : alignedFence;
    return {
      name: temporary ? `temporary ${i}` : planned.name,
      buffer: i,
      role: temporary ? 'temporary' : planned.role,
      before,
      bytes: planned.bytes,
      total: Math.ceil((before + planned.bytes + fenceAfter) / 4) * 4,
    };
  });
  const moved = (view: View): View => ({
    ...view,
    offset: view.offset + buffers[view.buffer]!.before / bytesPer[view.dtype],
  });
  const calls = plan.calls.map((call) => mapViews(call, moved));
  return { plan: { ...plan, calls, buffers: plan.buffers.map((b, i) => enclosing(b, buffers[i]!)) }, buffers };
}

function enclosing(planned: PlannedBuffer, { name, total }: FencedBuffer): PlannedBuffer {
  if (planned.kind === 'temporary')
    return { kind: 'bound', role: 'state', name, bytes: total, dtype: 'f32', shape: [total / 4], readback: false };
  if (planned.stored) return { ...planned, readback: false };
  return { ...planned, bytes: total, shape: [total / bytesPer[planned.dtype]], readback: false };
}

/** The memory of a fenced buffer before a run: sentinels, and the contents where there are any. */
export function memoryOf(
  { before, total }: FencedBuffer,
  contents: ArrayBufferView | undefined,
): Uint8Array<ArrayBuffer> {
  const memory = new Uint8Array(new Uint32Array(total / 4).fill(sentinel).buffer);
  if (contents) memory.set(new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength), before);
  return memory;
}

/** How many bytes before and after a buffer are no longer what they were, or undefined where all of them are. */
export function damage({ before, bytes }: FencedBuffer, was: Uint8Array, is: Uint8Array): string | undefined {
  const changed = (from: number, to: number): number => {
    let count = 0;
    for (let i = from; i < to; i++) if (was[i] !== is[i]) count++;
    return count;
  };
  const [ahead, behind] = [changed(0, before), changed(before + bytes, was.length)];
  if (ahead + behind === 0) return undefined;
  const parts = [ahead > 0 ? `${ahead} bytes before it` : '', behind > 0 ? `${behind} bytes after it` : ''];
  return parts.filter((p) => p !== '').join(' and ');
}

export type TypedArray =
  | Float32Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

const arrays = {
  f32: Float32Array,
  f16: Float16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i8: Int8Array,
  u8: Uint8Array,
} as const;

/** Elements of a type in some bytes. */
export function elementsIn(dtype: DType, bytes: Uint8Array<ArrayBuffer>, count: number): TypedArray {
  return new arrays[dtype](bytes.slice(0, count * bytesPer[dtype]).buffer);
}

export const newElements = (dtype: DType, count: number): TypedArray => new arrays[dtype](count);
