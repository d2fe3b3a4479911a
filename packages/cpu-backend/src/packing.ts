// Parameters repacked for matmul. Programs that use the same view of the same buffer share one copy, which lives as long as
// one of them.
import { storedBytes } from '@transept/tensor';
import type { Storage, View } from '@transept/tensor';
import type { DeviceBuffer } from './buffer.ts';
import type { Heap } from './memory.ts';
import { formOf } from './step.ts';

interface Packed {
  readonly address: number;
  users: number;
}

/** Fills panels at `to` from a matrix at `from`, stored in the given form; strides in bytes. */
export type PackPanels = (
  to: number,
  from: number,
  rowStride: number,
  columnStride: number,
  depth: number,
  columns: number,
  form: number,
) => void;

export class PackedParameters {
  readonly #heap: Heap;
  readonly #pack: PackPanels;
  readonly #packed = new Map<DeviceBuffer, Map<string, Packed>>();

  constructor(heap: Heap, pack: PackPanels) {
    this.#heap = heap;
    this.#pack = pack;
  }

  /** The panels of a view [depth, columns] of a buffer, made if need be. Give them back with `release`. */
  acquire(buffer: DeviceBuffer, view: View, depth: number, columns: number, stored?: Storage): string {
    const key = `${view.offset}:${view.shape.join()}:${view.strides.join()}`;
    let views = this.#packed.get(buffer);
    if (!views) this.#packed.set(buffer, (views = new Map()));
    let packed = views.get(key);
    if (!packed) {
      const bytes = (count: number): number => (stored ? storedBytes(stored, count) : count * 4);
      const address = this.#heap.allocate(bytes(Math.ceil(columns / 8) * 8 * depth), 'a packed parameter');
      const from = buffer.address + bytes(view.offset);
      const [down, across] = view.strides as [number, number];
      this.#pack(address, from, bytes(down), bytes(across), depth, columns, formOf(stored));
      views.set(key, (packed = { address, users: 0 }));
    }
    packed.users++;
    return key;
  }

  address(buffer: DeviceBuffer, key: string): number {
    return this.#packed.get(buffer)!.get(key)!.address;
  }

  release(buffer: DeviceBuffer, key: string): void {
    const views = this.#packed.get(buffer)!;
    const packed = views.get(key)!;
    if (--packed.users > 0) return;
    this.#heap.free(packed.address);
    views.delete(key);
    if (views.size === 0) this.#packed.delete(buffer);
  }
}
