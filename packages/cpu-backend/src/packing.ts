// Parameters repacked for matmul: panels of 16 columns, or of eight where they are blocks of whole numbers. Where a parameter is a
// matrix whose rows are those columns, as weights of linear layers are, its panels take the place of its rows, and no further
// memory is needed; only what does not fill a panel is copied. Other views get a copy, which the programs that use it share.
import { BackendError, storedBytes } from '@transept/tensor';
import type { Storage, View } from '@transept/tensor';
import type { DeviceBuffer } from './buffer.ts';
import type { Heap } from './memory.ts';
import { formOf } from './step.ts';
import { panelColumns, unpack } from './unpack.ts';

/** Where the panels of a view lie. */
export interface Panels {
  readonly address: number;
  /** Of the last panel, where that does not follow the others; else 0. */
  readonly tail: number;
}

interface Copy {
  readonly address: number;
  users: number;
}

/** What `packParameter` in `assembly/matmul.ts` takes; strides in bytes. */
export interface PackRequest {
  readonly to: number;
  readonly from: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly depth: number;
  readonly columns: number;
  readonly form: number;
  /** Bytes of a panel, and whether panels take the place of what they are made from. */
  readonly panelBytes: number;
  readonly inPlace: boolean;
}

/** The rows of its buffer that a view [depth, columns] has as columns, or a table as rows, if they are whole. */
export function rowsOf({ offset, shape, strides }: View, axis: 0 | 1): { first: number; width: number } | undefined {
  const width = shape[1 - axis]!;
  const whole = (strides[1 - axis] === 1 || width === 1) && (strides[axis] === width || shape[axis] === 1);
  return whole && width > 0 && offset % width === 0 ? { first: offset / width, width } : undefined;
}

export class PackedParameters {
  readonly #heap: Heap;
  readonly #pack: (request: PackRequest) => void;
  readonly #copies = new WeakMap<DeviceBuffer, Map<string, Copy>>();

  constructor(heap: Heap, pack: (request: PackRequest) => void) {
    this.#heap = heap;
    this.#pack = pack;
  }

  /** The panels of a view [depth, columns] of a buffer, made if need be. Call `release` when they are no longer used. */
  panels(buffer: DeviceBuffer, view: View, stored: Storage | undefined): Panels & { readonly release: () => void } {
    const [depth, columns] = view.shape as [number, number];
    const bytes = (count: number): number => (stored ? storedBytes(stored, count) : count * 4);
    const rows = rowsOf(view, 1);
    if (rows && rows.first % panelColumns(stored) === 0 && this.#panelled(buffer, rows.width, stored)) {
      const { rows: inPlace, tail } = buffer.panels!;
      const release = (): void => {};
      return { address: buffer.address + bytes(view.offset), tail: rows.first + columns > inPlace ? tail : 0, release };
    }
    const key = `${view.offset}:${view.shape.join()}:${view.strides.join()}`;
    const { address, release } = this.#copy(buffer, key, () => {
      const panelBytes = bytes(panelColumns(stored) * depth);
      const source = this.plain(buffer);
      try {
        const to = this.#heap.allocate(Math.ceil(columns / panelColumns(stored)) * panelBytes, 'a packed parameter');
        const [down, across] = view.strides as [number, number];
        this.#pack({
          to,
          from: source.address + bytes(view.offset),
          rowStride: bytes(down),
          columnStride: bytes(across),
          depth,
          columns,
          form: formOf(stored),
          panelBytes,
          inPlace: false,
        });
        return to;
      } finally {
        source.release();
      }
    });
    return { address, tail: 0, release };
  }

  /** A buffer as it was written: itself while it is so, else a copy. */
  plain(buffer: DeviceBuffer): { readonly address: number; readonly release: () => void } {
    if (!buffer.panels) {
      buffer.plainUsers++;
      return { address: buffer.address, release: () => void buffer.plainUsers-- };
    }
    return this.#copy(buffer, 'plain', () => {
      const to = this.#heap.allocate(buffer.bytes, 'a parameter that was packed and is needed as it was');
      this.#heap.bytesView.set(unpack(this.bytes(buffer), buffer.panels!), to);
      return to;
    });
  }

  /** The address of a buffer that a program may write. */
  writable(buffer: DeviceBuffer, name: string): number {
    if (buffer.panels && buffer.readers > 0)
      throw new BackendError(
        `load: "${name}" is bound to a buffer that other programs have as a parameter, packed; dispose them first`,
      );
    this.restore(buffer);
    return buffer.address;
  }

  /** Undo the packing of a buffer that no program uses, because it is about to be written. */
  restore(buffer: DeviceBuffer): void {
    if (!buffer.panels) return;
    this.bytes(buffer).set(unpack(this.bytes(buffer), buffer.panels));
    buffer.panels = undefined;
  }

  /** All bytes of a buffer as they lie. */
  bytes({ address, bytes }: DeviceBuffer): Uint8Array<ArrayBuffer> {
    return this.#heap.bytesView.subarray(address, address + bytes) as Uint8Array<ArrayBuffer>;
  }

  /** Is the buffer in panels of that width? It is made so if nobody needs it as it was. */
  #panelled(buffer: DeviceBuffer, width: number, stored: Storage | undefined): boolean {
    if (buffer.panels) return buffer.panels.width === width && buffer.panels.stored === stored;
    if (buffer.plainUsers > 0) return false;
    const rowBytes = stored ? storedBytes(stored, width) : width * 4;
    const all = Math.floor(buffer.bytes / rowBytes);
    const rows = all - (all % panelColumns(stored));
    const panelBytes = panelColumns(stored) * rowBytes;
    const pack = {
      rowStride: stored ? storedBytes(stored, 1) : 4,
      columnStride: rowBytes,
      depth: width,
      form: formOf(stored),
      panelBytes,
    };
    const tail = rows < all ? this.#heap.allocate(panelBytes, 'the last panel of a parameter') : 0;
    const end = buffer.address + rows * rowBytes;
    try {
      if (tail) this.#pack({ ...pack, to: tail, from: end, columns: all - rows, inPlace: false });
      if (rows) this.#pack({ ...pack, to: buffer.address, from: buffer.address, columns: rows, inPlace: true });
    } catch (error) {
      if (tail) this.#heap.free(tail);
      throw error;
    }
    buffer.panels = { width, rows, tail, stored };
    return true;
  }

  #copy(buffer: DeviceBuffer, key: string, make: () => number): { address: number; release: () => void } {
    let copies = this.#copies.get(buffer);
    if (!copies) this.#copies.set(buffer, (copies = new Map()));
    const copy = copies.get(key) ?? { address: make(), users: 0 };
    copies.set(key, copy);
    copy.users++;
    return { address: copy.address, release: () => this.#release(buffer, key) };
  }

  #release(buffer: DeviceBuffer, key: string): void {
    const copies = this.#copies.get(buffer)!;
    const copy = copies.get(key)!;
    if (--copy.users > 0) return;
    this.#heap.free(copy.address);
    copies.delete(key);
  }
}
