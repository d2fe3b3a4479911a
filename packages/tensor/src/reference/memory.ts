// Host memory as a device: buffers are ArrayBuffers, and every use of one is checked.
import { BackendError, DeviceLostError } from '../errors.ts';
import type { Buffer, MemoryUse } from '../backend.ts';
import type { DType } from '../dtype.ts';

export type Elements = Float32Array | Float16Array | Int32Array | Uint32Array | Int8Array | Uint8Array;

/** The whole of a buffer as elements of a type. */
export function elementsOf(memory: ArrayBuffer, dtype: DType): Elements {
  const count = (bytes: number): number => Math.floor(memory.byteLength / bytes);
  switch (dtype) {
    case 'f32':
      return new Float32Array(memory, 0, count(4));
    case 'f16':
      return new Float16Array(memory, 0, count(2));
    case 'i32':
      return new Int32Array(memory, 0, count(4));
    case 'u32':
      return new Uint32Array(memory, 0, count(4));
    case 'i8':
      return new Int8Array(memory);
    case 'u8':
      return new Uint8Array(memory);
    default:
      return dtype satisfies never;
  }
}

interface Owned {
  readonly memory: ArrayBuffer;
  users: number;
}

export class HostMemory implements MemoryUse {
  readonly #owned = new Map<Buffer, Owned>();
  bytes = 0;
  peak = 0;
  /** Resolves when this memory was given up. */
  readonly lost: Promise<Error>;
  #gone: DeviceLostError | undefined;
  #lose: (reason: Error) => void = () => {};

  constructor() {
    this.lost = new Promise((resolve) => (this.#lose = resolve));
  }

  /** Throws after `close`. */
  check(): void {
    if (this.#gone) throw this.#gone;
  }

  close(): void {
    this.#gone ??= new DeviceLostError('reference: the backend was disposed');
    this.#lose(this.#gone);
  }

  alloc(bytes: number): Buffer {
    this.check();
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw new BackendError(`alloc: ${bytes} bytes; a size is a whole number from 0 on`);
    let memory: ArrayBuffer;
    try {
      memory = new ArrayBuffer(bytes);
    } catch (cause) {
      throw new BackendError(`alloc: no room for ${bytes} bytes beside the ${this.bytes} in use`, { cause });
    }
    const buffer: Buffer = { bytes, [Symbol.dispose]: () => this.#free(buffer) };
    this.#owned.set(buffer, { memory, users: 0 });
    this.bytes += bytes;
    this.peak = Math.max(this.peak, this.bytes);
    return buffer;
  }

  /** The memory of a buffer. Throws when it was disposed or is another backend's. */
  of(buffer: Buffer, doing: string): ArrayBuffer {
    return this.#find(buffer, doing).memory;
  }

  /** A program starts using a buffer; call the result when it stops. */
  use(buffer: Buffer, doing: string): () => void {
    const owned = this.#find(buffer, doing);
    owned.users++;
    return () => void owned.users--;
  }

  #find(buffer: Buffer, doing: string): Owned {
    this.check();
    const owned = this.#owned.get(buffer);
    if (!owned) throw new BackendError(`${doing}: the buffer was disposed or belongs to another backend`);
    return owned;
  }

  #free(buffer: Buffer): void {
    const owned = this.#owned.get(buffer);
    if (!owned) return;
    if (owned.users > 0)
      throw new BackendError(
        `dispose: a buffer of ${buffer.bytes} bytes is used by ${owned.users} programs; dispose them first`,
      );
    this.#owned.delete(buffer);
    this.bytes -= buffer.bytes;
  }
}
