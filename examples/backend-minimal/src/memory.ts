// The memory of the device: ArrayBuffers, who uses them, and how much there is.
import { BackendError, DeviceLostError } from '@transept/tensor';
import type { Buffer, DType, MemoryUse } from '@transept/tensor';

const kind = { f32: Float32Array, f16: Float16Array, i32: Int32Array, u32: Uint32Array, i8: Int8Array, u8: Uint8Array };
export const dtypes = Object.keys(kind) as DType[];
export type Elements = InstanceType<(typeof kind)[DType]>;

/** Memory seen as elements of a type. */
export const elementsOf = (block: ArrayBuffer, dtype: DType): Elements =>
  new kind[dtype](block, 0, Math.floor(block.byteLength / kind[dtype].BYTES_PER_ELEMENT));

export interface Allocation {
  readonly block: ArrayBuffer;
  users: number; // programs
}

export class Memory implements MemoryUse {
  bytes = 0;
  peak = 0;
  closed = false;
  readonly #allocations = new Map<Buffer, Allocation>();

  check(what: string): void {
    if (this.closed) throw new DeviceLostError(`${what}: the backend was disposed of`);
  }

  alloc(bytes: number): Buffer {
    this.check('alloc');
    let block: ArrayBuffer;
    try {
      if (!Number.isSafeInteger(bytes)) throw new RangeError('sizes are whole numbers');
      block = new ArrayBuffer(bytes);
    } catch (cause) {
      throw new BackendError(`alloc: cannot have ${bytes} bytes beside the ${this.bytes} in use`, { cause });
    }
    const buffer: Buffer = { bytes, [Symbol.dispose]: () => this.#free(buffer) };
    this.#allocations.set(buffer, { block, users: 0 });
    this.bytes += bytes;
    this.peak = Math.max(this.peak, this.bytes);
    return buffer;
  }

  /** A buffer that has the bytes from `start` to `end`. Throws once it was disposed of. */
  of(buffer: Buffer, what: string, end = 0, start = 0): Allocation {
    this.check(what);
    const found = this.#allocations.get(buffer);
    if (!found) throw new BackendError(`${what}: the buffer was disposed of, or belongs to another backend`);
    if (start < 0 || end < start || end > buffer.bytes)
      throw new BackendError(`${what}: bytes ${start} to ${end} of a buffer of ${buffer.bytes}; expected some within`);
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
