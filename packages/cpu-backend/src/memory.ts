// The backend's one WebAssembly memory, and which parts of it are taken. Every range starts at a multiple of 64 bytes and is
// followed by at least 16 bytes that nobody else uses, because kernels read (never write) in whole vectors.
import { BackendError } from '@transept/tensor';
import type { Capabilities, MemoryUse } from '@transept/tensor';
import { detectWide } from './variants.ts';

export const alignment = 64;
const slack = 16;
export const pageBytes = 65536;
/** Memory grows by so much at least: every growth renews all views, and what is not touched takes nothing. */
const growthBytes = 8 << 20;
/** What lies before: the words with which threads wait for each other. */
const reserved = 1024;
/** What engines allow memory with 64-bit addresses. */
export const wideBytes = 2 ** 34;
/** Kernels compute places within a tensor in 32 bits, signed ones where addresses have more. */
const wideTensorBytes = 2 ** 31 - pageBytes;

/** Memory with 64-bit addresses, which the types of the platform do not know yet. */
interface WideMemory {
  grow(pages: bigint): bigint;
}

/** Memory that begins with `initial` pages and may grow to `maximum`. Throws where the platform refuses that. */
export function createMemory(initial: number, maximum: number, shared: boolean, wide: boolean): WebAssembly.Memory {
  if (!wide) return new WebAssembly.Memory({ initial, maximum, shared });
  const descriptor = { initial: BigInt(initial), maximum: BigInt(maximum), shared, address: 'i64' };
  return new WebAssembly.Memory(descriptor as unknown as WebAssembly.MemoryDescriptor);
}

function growMemory(memory: WebAssembly.Memory, pages: number, wide: boolean): void {
  if (wide) (memory as unknown as WideMemory).grow(BigInt(pages));
  else memory.grow(pages);
}

/** What there can be where `maxBytes` are not enough. */
export const moreMemory = (maxBytes: number): Capabilities['moreMemory'] =>
  maxBytes < wideBytes && detectWide()
    ? { bytes: wideBytes, how: `cpu({ maxBytes }) can have up to ${wideBytes}` }
    : undefined;

interface Range {
  start: number;
  end: number;
}

export class Heap implements MemoryUse {
  readonly memory: WebAssembly.Memory;
  readonly maxBytes: number;
  bytes = 0;
  peak = 0;
  /** Are addresses numbers of 64 bits? They are where memory may grow beyond 4 GiB. */
  readonly wide: boolean;
  /** Bytes of a word that may be an address. */
  readonly wordBytes: number;
  /** Most bytes of one tensor. */
  readonly maxTensorBytes: number;
  /** Views of all of memory, renewed whenever it grows. */
  bytesView: Uint8Array;
  words: Int32Array;
  floats: Float32Array;
  /** Free ranges in order of address; neighbours are merged. */
  readonly #free: Range[] = [];
  readonly #taken = new Map<number, number>();
  /** Up to here ranges have been in use and have to be cleared before they are given out again. */
  #used = reserved;

  constructor(memory: WebAssembly.Memory, maxBytes: number, wide: boolean) {
    this.memory = memory;
    this.maxBytes = maxBytes;
    this.wide = wide;
    this.wordBytes = wide ? 8 : 4;
    this.maxTensorBytes = wide ? Math.min(maxBytes, wideTensorBytes) : maxBytes;
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

  /** Write words that may be addresses. */
  writeBlock(at: number, words: readonly number[]): void {
    if (!this.wide) return this.words.set(words, at / 4);
    const halves = words.flatMap((word) => [word % 2 ** 32, Math.floor(word / 2 ** 32)]);
    this.words.set(halves, at / 4);
  }

  /** Some words that were written so, none of them negative. */
  readBlock(at: number, count: number): number[] {
    const halves = new Uint32Array(this.memory.buffer, at, (count * this.wordBytes) / 4);
    if (!this.wide) return [...halves];
    return Array.from({ length: count }, (_, i) => halves[2 * i]! + halves[2 * i + 1]! * 2 ** 32);
  }

  /** An address as functions of the module take it. */
  pointer(address: number): number | bigint {
    return this.wide ? BigInt(address) : address;
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
      const more = moreMemory(this.maxBytes);
      throw new BackendError(
        `cpu: out of memory: ${what} needs ${bytes} bytes, ${this.bytes} are in use; at most ${this.maxBytes} can be had. ` +
          `Weights as q8 or q4 and fewer or shorter sequences need less${more ? `. More: ${more.how}` : ''}`,
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
      growMemory(this.memory, wanted / pageBytes, this.wide);
    } catch (error) {
      if (wanted === least) throw error;
      growMemory(this.memory, least / pageBytes, this.wide);
    }
  }
}
