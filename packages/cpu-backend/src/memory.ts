// The backend's one WebAssembly memory, and which parts of it are taken. Every range starts at a multiple of 64 bytes and is
// followed by at least 16 bytes that nobody else uses, because kernels read (never write) in whole vectors.
import { BackendError } from '@transept/tensor';
import type { MemoryUse } from '@transept/tensor';

export const alignment = 64;
const slack = 16;
const pageBytes = 65536;
/** Memory grows by so much at least: every growth renews all views, and what is not touched takes nothing. */
const growthBytes = 8 << 20;
/** What lies before: the words with which threads wait for each other. */
const reserved = 1024;

interface Range {
  start: number;
  end: number;
}

export class Heap implements MemoryUse {
  readonly memory: WebAssembly.Memory;
  readonly maxBytes: number;
  bytes = 0;
  peak = 0;
  /** Views of all of memory, renewed whenever it grows. */
  bytesView: Uint8Array;
  words: Int32Array;
  floats: Float32Array;
  /** Free ranges in order of address; neighbours are merged. */
  readonly #free: Range[] = [];
  readonly #taken = new Map<number, number>();
  /** Up to here ranges have been in use and have to be cleared before they are given out again. */
  #used = reserved;

  constructor(memory: WebAssembly.Memory, maxBytes: number) {
    this.memory = memory;
    this.maxBytes = maxBytes;
    this.bytesView = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
    if (memory.buffer.byteLength > reserved) this.#free.push({ start: reserved, end: memory.buffer.byteLength });
  }

  /** The address of `bytes` zero bytes. `what` they are for appears in the error when they cannot be had. */
  allocate(bytes: number, what: string): number {
    const size = Math.ceil((bytes + slack) / alignment) * alignment;
    let best: Range | undefined;
    for (const range of this.#free) {
      const room = range.end - range.start;
      if (room >= size && (!best || room < best.end - best.start)) best = range;
    }
    best ??= this.#grow(size, bytes, what);
    const { start } = best;
    best.start += size;
    if (best.start === best.end) this.#free.splice(this.#free.indexOf(best), 1);
    this.#taken.set(start, size);
    if (start < this.#used) this.bytesView.fill(0, start, Math.min(start + size, this.#used));
    this.#used = Math.max(this.#used, start + size);
    this.bytes += size;
    this.peak = Math.max(this.peak, this.bytes);
    return start;
  }

  free(start: number): void {
    const size = this.#taken.get(start);
    if (size === undefined) throw new BackendError(`memory: nothing was allocated at address ${start}`);
    this.#taken.delete(start);
    this.bytes -= size;
    this.#release({ start, end: start + size });
  }

  #release(range: Range): void {
    let at = this.#free.findIndex((free) => free.start >= range.start);
    if (at < 0) at = this.#free.length;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    if (before?.end === range.start) {
      before.end = range.end;
      if (after?.start === range.end) {
        before.end = after.end;
        this.#free.splice(at, 1);
      }
    } else if (after?.start === range.end) after.start = range.start;
    else this.#free.splice(at, 0, range);
  }

  /** Make memory larger until its last free range holds `size` bytes, and return that range. */
  #grow(size: number, bytes: number, what: string): Range {
    const end = this.memory.buffer.byteLength;
    const last = this.#free.at(-1);
    const have = last?.end === end ? end - last.start : 0;
    const least = Math.ceil((size - have) / pageBytes) * pageBytes;
    const room = this.maxBytes - (this.maxBytes % pageBytes) - end;
    try {
      if (least > room) throw new RangeError('beyond the maximum');
      this.#growBy(least, Math.min(room, Math.max(least, growthBytes)));
    } catch {
      throw new BackendError(
        `cpu: out of memory: ${what} needs ${bytes} bytes, ${this.bytes} are in use; at most ${this.maxBytes} can be had. ` +
          'Weights as q8 or q4 and fewer or shorter sequences need less',
      );
    }
    this.bytesView = new Uint8Array(this.memory.buffer);
    this.words = new Int32Array(this.memory.buffer);
    this.floats = new Float32Array(this.memory.buffer);
    this.#release({ start: end, end: this.memory.buffer.byteLength });
    return this.#free.at(-1)!;
  }

  /** Grow by as much as is wanted, or at least by what there has to be. */
  #growBy(least: number, wanted: number): void {
    try {
      this.memory.grow(wanted / pageBytes);
    } catch (error) {
      if (wanted === least) throw error;
      this.memory.grow(least / pageBytes);
    }
  }
}
