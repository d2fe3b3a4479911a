// Memory through which results come back to the host. A ring belongs to one buffer of a program and takes a copy on every
// run; the pool serves reads at any time.
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

/** Free buffers that the pool keeps. */
const poolSize = 4;

export class StagingPool {
  readonly #context: Context;
  readonly #free: GPUBuffer[] = [];
  #closed = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** A copy of part of a buffer as it is after everything submitted so far. Offset and size are multiples of 4. */
  async read(source: GPUBuffer, offset: number, bytes: number, op: string): Promise<Uint8Array<ArrayBuffer>> {
    const context = this.#context;
    const staging = this.#take(bytes);
    try {
      const encoder = context.device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
      context.device.queue.submit([encoder.finish()]);
      return await context.copyOut(staging, bytes, op);
    } finally {
      this.#give(staging);
    }
  }

  close(): void {
    this.#closed = true;
    for (const buffer of this.#free.splice(0)) this.#context.destroyBuffer(buffer);
  }

  #take(bytes: number): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, bytes)));
    const at = this.#free.findIndex((b) => b.size === size);
    if (at >= 0) return this.#free.splice(at, 1)[0]!;
    return this.#context.createBuffer('staging', size, stagingUsage);
  }

  #give(buffer: GPUBuffer): void {
    if (!this.#closed && buffer.mapState === 'unmapped') this.#free.push(buffer);
    else this.#context.destroyBuffer(buffer);
    if (this.#free.length > poolSize) this.#context.destroyBuffer(this.#free.shift()!);
  }
}
