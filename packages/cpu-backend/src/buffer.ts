// A range of the backend's memory that a caller owns.
import { BackendError } from '@transept/tensor';
import type { Buffer } from '@transept/tensor';
import type { Heap } from './memory.ts';
import type { BufferPanels } from './unpack.ts';

export class DeviceBuffer implements Buffer {
  readonly bytes: number;
  readonly address: number;
  /** Loaded programs that use it, and those of them that rely on its not being written. */
  users = 0;
  readers = 0;
  /** Those that need its bytes in the order in which they were written. */
  plainUsers = 0;
  /** Where a number lies that kernels look at: rows in panels. 0 until somebody asks. */
  #panelledAt = 0;
  #panels: BufferPanels | undefined;
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

  /** How its matrix was packed in place, if it was. */
  get panels(): BufferPanels | undefined {
    return this.#panels;
  }
  set panels(panels: BufferPanels | undefined) {
    if (this.#panels?.tail) this.#heap.free(this.#panels.tail);
    this.#panels = panels;
    if (this.#panelledAt) this.#heap.words[this.#panelledAt / 4] = panels?.rows ?? 0;
  }

  /** The address of the number of rows that lie in panels at the time. */
  panelledAt(): number {
    if (!this.#panelledAt) {
      this.#panelledAt = this.#heap.allocate(4, 'a word about a parameter');
      this.#heap.words[this.#panelledAt / 4] = this.#panels?.rows ?? 0;
    }
    return this.#panelledAt;
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
    this.panels = undefined;
    if (this.#panelledAt) this.#heap.free(this.#panelledAt);
    this.#heap.free(this.address);
  }
}
