// Memory through which results come back to the host. A ring belongs to one buffer of a program and takes a copy on every
// run; anything else is read through memory made for that one read.
import { bufferUsage } from './constants.ts';
import type { Context } from './context.ts';

/** Copies of one buffer that can be under way at once: runs may be enqueued ahead while an earlier result is read. */
const ringSize = 3;

interface Slot {
  readonly gpu: GPUBuffer;
  reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
}

const stagingUsage = bufferUsage.mapRead | bufferUsage.copyTarget;

export class StagingRing {
  readonly bytes: number;
  readonly #context: Context;
  readonly #slots: readonly Slot[];
  #latest = -1;
  #fresh = false;

  constructor(context: Context, label: string, bytes: number) {
    this.bytes = bytes;
    this.#context = context;
    this.#slots = Array.from({ length: ringSize }, () => ({
      gpu: context.createBuffer(`staging of ${label}`, bytes, stagingUsage),
      reading: undefined,
    }));
  }

  /** Where the next run copies to: the oldest slot that nobody is reading, unread results included; none where all are being read. */
  next(): GPUBuffer | undefined {
    this.#fresh = false;
    for (let i = 1; i <= ringSize; i++) {
      const at = (this.#latest + i) % ringSize;
      if (this.#slots[at]!.reading) continue;
      this.#latest = at;
      this.#fresh = true;
      return this.#slots[at]!.gpu;
    }
    return undefined;
  }

  /** The copy that the latest run made, or undefined where it made none. */
  read(op: string): Promise<Uint8Array<ArrayBuffer>> | undefined {
    if (!this.#fresh) return undefined;
    const slot = this.#slots[this.#latest]!;
    if (slot.reading) return slot.reading.then((bytes) => bytes.slice());
    slot.reading = this.#context.copyOut(slot.gpu, this.bytes, op).finally(() => (slot.reading = undefined));
    return slot.reading;
  }

  destroy(): void {
    for (const { gpu } of this.#slots) this.#context.destroyBuffer(gpu);
  }
}

/** A copy of part of a buffer as it is after everything submitted so far. Offset and size are multiples of 4. */
export async function readOnce(
  context: Context,
  source: GPUBuffer,
  { offset = 0, bytes, op }: { offset?: number; bytes: number; op: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const staging = context.createBuffer('staging', bytes, stagingUsage);
  try {
    const encoder = context.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
    context.device.queue.submit([encoder.finish()]);
    return await context.copyOut(staging, bytes, op);
  } finally {
    context.destroyBuffer(staging);
  }
}
