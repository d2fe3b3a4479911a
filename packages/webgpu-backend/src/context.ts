// What everything on one device shares: the device itself, whether it is still there, and how much memory is taken.
import { BackendError, DeviceLostError } from '@transept/tensor';
import { mapRead } from './constants.ts';
import { message } from './device.ts';
import { Pipelines } from './pipelines.ts';

/** A lost device fails calls and resolves `lost` in either order, within so many milliseconds. */
const lossMs = 100;

export class Context {
  readonly device: GPUDevice;
  readonly pipelines: Pipelines;
  /** Resolves when the device is gone without having been disposed of. */
  readonly lost: Promise<DeviceLostError>;
  bytes = 0;
  peak = 0;
  #lostError: DeviceLostError | undefined;
  #closed = false;
  #fault: string | undefined;

  constructor(device: GPUDevice) {
    this.device = device;
    this.pipelines = new Pipelines(device);
    this.lost = new Promise((resolve) => {
      void device.lost.then((info) => {
        if (this.#closed) return;
        this.#lostError = new DeviceLostError(
          `webgpu: the device is lost: ${info.message || info.reason}; make a new backend`,
        );
        resolve(this.#lostError);
      });
    });
  }

  /** Throws where the device is gone or the backend disposed. */
  check(op: string): void {
    if (this.#lostError) throw this.#lostError;
    if (this.#closed) throw new BackendError(`${op}: the backend is disposed; make a new one`);
  }

  close(): void {
    this.#closed = true;
  }

  /** Remembers an error that no call could report, for the next read. */
  fault(text: string): void {
    this.#fault ??= text;
  }

  takeFault(): void {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw new BackendError(`webgpu: an earlier run went wrong: ${fault}`);
  }

  /** A buffer of the device, counted. Sizes go up to a multiple of 16 so that shaders can read by fours. */
  createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.device.createBuffer({ label, size: Math.max(16, Math.ceil(bytes / 16) * 16), usage });
    this.bytes += buffer.size;
    this.peak = Math.max(this.peak, this.bytes);
    return buffer;
  }

  destroyBuffer(buffer: GPUBuffer): void {
    this.bytes -= buffer.size;
    buffer.destroy();
  }

  /** Runs something that creates objects, and tells afterwards what the device says was wrong with it. */
  scoped<T>(make: () => T): { value: T; error: Promise<string | undefined> } {
    const { device } = this;
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    try {
      const value = make();
      return { value, error: this.#popScopes() };
    } catch (cause) {
      void this.#popScopes();
      throw cause;
    }
  }

  async #popScopes(): Promise<string | undefined> {
    const errors = [this.device.popErrorScope(), this.device.popErrorScope()];
    try {
      const [validation, memory] = await Promise.all(errors);
      return (validation ?? memory)?.message;
    } catch (cause) {
      return message(cause);
    }
  }

  /** Throws the loss of the device where that is what made a call fail: it may be told a little later. */
  async settleLoss(op: string): Promise<void> {
    await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, lossMs))]);
    this.check(op);
  }

  /** A copy of the first bytes of a staging buffer, once everything submitted so far is done. */
  async copyOut(staging: GPUBuffer, bytes: number, op: string): Promise<Uint8Array<ArrayBuffer>> {
    try {
      await staging.mapAsync(mapRead);
    } catch (cause) {
      await this.settleLoss(op);
      throw new BackendError(`${op}: the memory could not be mapped: ${message(cause)}`, { cause });
    }
    const copy = new Uint8Array(staging.getMappedRange()).slice(0, bytes);
    staging.unmap();
    this.takeFault();
    return copy;
  }
}
