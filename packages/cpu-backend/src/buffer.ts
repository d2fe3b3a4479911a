// A range of the backend's memory that a caller owns.
import { BackendError } from '@transept/tensor';
import type { Buffer } from '@transept/tensor';
import type { Heap } from './memory.ts';

export class DeviceBuffer implements Buffer {
  readonly bytes: number;
  readonly address: number;
  /** Loaded programs that use it, and those of them that rely on its not being written. */
  users = 0;
  readers = 0;
  readonly #heap: Heap;
  #disposed = false;

  constructor(heap: Heap, bytes: number) {
    this.#heap = heap;
    this.bytes = bytes;
    this.address = heap.allocate(bytes, 'a buffer');
  }

  belongsTo(heap: Heap): boolean {
    return this.#heap === heap;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    if (this.users > 0)
      throw new BackendError(
        `dispose: a buffer of ${this.bytes} bytes is still used by ${this.users} loaded programs; dispose them first`,
      );
    this.#disposed = true;
    this.#heap.free(this.address);
  }
}
