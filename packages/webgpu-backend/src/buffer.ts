// Memory that a user of the backend holds.
import { BackendError } from '@transept/tensor';
import type { Buffer } from '@transept/tensor';
import { bufferUsage } from './constants.ts';
import type { Context } from './context.ts';

export class GpuBuffer implements Buffer {
  readonly bytes: number;
  readonly context: Context;
  readonly gpu: GPUBuffer;
  /** Programs that are bound to it. */
  users = 0;
  /** What the device said when the memory was taken; undefined where all is well. */
  readonly error: Promise<string | undefined>;
  readonly #onDispose: (buffer: GpuBuffer) => void;
  #failure: string | undefined;
  #disposed = false;

  constructor(context: Context, bytes: number, onDispose: (buffer: GpuBuffer) => void) {
    if (!Number.isInteger(bytes) || bytes < 0)
      throw new BackendError(`alloc: not a size: ${bytes}; a number of bytes is a whole number`);
    const most = context.device.limits.maxBufferSize;
    if (bytes > most)
      throw new BackendError(`alloc: too large: ${bytes} bytes; this device's buffers hold up to ${most}`);
    const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;
    const { value, error } = context.scoped(() => context.createBuffer('transept buffer', bytes, usage));
    this.bytes = bytes;
    this.context = context;
    this.gpu = value;
    this.#onDispose = onDispose;
    this.error = error.then((text) => (this.#failure = text));
  }

  /** Throws where the buffer cannot be used. */
  check(op: string): void {
    if (this.#disposed) throw new BackendError(`${op}: the buffer of ${this.bytes} bytes is disposed`);
    if (this.#failure !== undefined)
      throw new BackendError(`${op}: the memory of the buffer could not be had: ${this.bytes} bytes: ${this.#failure}`);
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    if (this.users > 0)
      throw new BackendError(
        `dispose: the buffer of ${this.bytes} bytes is in use by ${this.users} program${this.users > 1 ? 's' : ''}; dispose them first`,
      );
    this.release();
  }

  /** Frees the memory whoever uses it. */
  release(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.context.destroyBuffer(this.gpu);
    this.#onDispose(this);
  }
}
