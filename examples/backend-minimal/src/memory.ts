// The memory of the device: ArrayBuffers, who uses them, and how much there is.
import { BackendError } from '@transept/tensor';
import type { Buffer, DType, MemoryUse } from '@transept/tensor';

const kind = { f32: Float32Array, f16: Float16Array, i32: Int32Array, u32: Uint32Array, i8: Int8Array, u8: Uint8Array };

export const dtypes = Object.keys(kind) as DType[];

export type Elements = InstanceType<(typeof kind)[DType]>;

/** Memory seen as elements of a type. */
export const elementsOf = (block: ArrayBuffer, dtype: DType): Elements =>
  new kind[dtype](block, 0, Math.floor(block.byteLength / kind[dtype].BYTES_PER_ELEMENT));

export interface Allocation {
  readonly block: ArrayBuffer;
  /** Programs that use it. */
  users: number;
}

export class Memory implements MemoryUse {
  bytes = 0;
  peak = 0;
  readonly #allocations = new Map<Buffer, Allocation>();

  alloc(bytes: number): Buffer {
    let block: ArrayBuffer;
    try {
      block = new ArrayBuffer(bytes);
    } catch (cause) {
      throw new BackendError(`alloc: no room for ${bytes} bytes beside the ${this.bytes} in use`, { cause });
    }
    const buffer: Buffer = { bytes, [Symbol.dispose]: () => this.#free(buffer) };
    this.#allocations.set(buffer, { block, users: 0 });
    this.bytes += bytes;
    this.peak = Math.max(this.peak, this.bytes);
    return buffer;
  }

  /** A buffer with at least `bytes` bytes. Throws once it was disposed of. */
  of(buffer: Buffer, what: string, bytes = 0): Allocation {
    const found = this.#allocations.get(buffer);
    if (!found) throw new BackendError(`${what}: the buffer was disposed of, or belongs to another backend`);
    if (bytes > buffer.bytes) throw new BackendError(`${what}: takes ${bytes} bytes; the buffer has ${buffer.bytes}`);
    return found;
  }

  #free(buffer: Buffer): void {
    const users = this.#allocations.get(buffer)?.users;
    if (users === undefined) return; // disposing twice is fine
    if (users > 0) throw new BackendError(`dispose: ${users} programs use the buffer; dispose of them first`);
    this.#allocations.delete(buffer);
    this.bytes -= buffer.bytes;
  }
}
