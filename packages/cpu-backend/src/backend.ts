// The CPU backend: kernels in WebAssembly over one linear memory, replayed on this thread and its helpers.
import { BackendError, DeviceLostError } from '@transept/tensor';
import type { Backend, Buffer, Capabilities, LoadOptions, MemoryUse, Plan, Program } from '@transept/tensor';
import { DeviceBuffer } from './buffer.ts';
import { createEngine, narrowBytes } from './engine.ts';
import type { Engine } from './engine.ts';
import { kernels } from './kernels/index.ts';
import { alignment, moreMemory, pageBytes, wideBytes } from './memory.ts';
import { PackedParameters } from './packing.ts';
import { LoadedProgram } from './program.ts';
import type { Host } from './program.ts';
import { claimBytes, stepWords, writeProgram } from './replay.ts';
import { kernelNumbers } from './step.ts';
import type { Step } from './step.ts';
import { anyFailed, hardwareThreads, releaseAll, settle, threadsObstacle } from './threads.ts';
import { unpack } from './unpack.ts';
import { detectSimd, detectWide } from './variants.ts';
import type { Simd } from './variants.ts';

export interface CpuOptions {
  /** Threads in all, the calling one included. Default 'auto': up to four where shared memory and workers can be had, else one. */
  readonly threads?: number | 'auto';
  /** Default 'auto': relaxed SIMD, with multiply-adds that round once, where the engine has it. */
  readonly simd?: 'auto' | Simd;
  /**
   * Most memory to take, in bytes. Default: 4 GiB, or what the platform reserves. More, up to 16 GiB, takes an engine with 64-bit
   * WebAssembly memory, where one tensor has 2 GiB at most and kernels are a little slower.
   */
  readonly maxBytes?: number;
}

const autoThreads = 4;

function checkMaxBytes(maxBytes: number): number {
  if (!(maxBytes >= pageBytes && maxBytes <= wideBytes))
    throw new BackendError(`cpu: maxBytes is ${maxBytes}; it must be a number from ${pageBytes} to ${wideBytes}`);
  if (maxBytes > narrowBytes && !detectWide())
    throw new BackendError(
      `cpu: maxBytes is ${maxBytes}; this engine has no 64-bit WebAssembly memory, so ${narrowBytes} are the most`,
    );
  return maxBytes;
}

interface Threads {
  readonly threads: number;
  readonly note?: string | undefined;
}

/** How many threads there will be, and why not as many as one might want. */
function chooseThreads(wanted: number | 'auto'): Threads {
  if (wanted !== 'auto' && !(Number.isInteger(wanted) && wanted >= 1))
    throw new BackendError(`cpu: threads is ${String(wanted)}; it must be a whole number from 1 on, or 'auto'`);
  if (wanted === 1) return { threads: 1 };
  const obstacle = threadsObstacle();
  if (obstacle) return { threads: 1, note: obstacle };
  return { threads: wanted === 'auto' ? Math.min(autoThreads, hardwareThreads()) : wanted };
}

interface Started extends Threads {
  readonly engine: Engine;
}

/** Start with the threads chosen, or with one where nobody asked for more and they cannot be had. */
async function start(simd: Simd, maxBytes: number, wanted: number | 'auto'): Promise<Started> {
  const { threads, note } = chooseThreads(wanted);
  try {
    return { engine: await createEngine(simd, threads, maxBytes), threads, note };
  } catch (error) {
    if (wanted !== 'auto' || threads === 1) throw error;
    return { engine: await createEngine(simd, 1, maxBytes), threads: 1, note: (error as Error).message };
  }
}

function chooseSimd(wanted: 'auto' | Simd): Simd {
  const best = detectSimd();
  if (!best) throw new BackendError('cpu: this engine has no WebAssembly SIMD; a newer one is needed');
  if (wanted === 'relaxed' && best === 'plain')
    throw new BackendError("cpu: this engine has no relaxed SIMD; use simd: 'auto' or 'plain'");
  return wanted === 'auto' ? best : wanted;
}

/**
 * Start the CPU backend. Throws a BackendError where WebAssembly SIMD is missing, the kernels cannot be loaded, or threads that were
 * asked for by number do not start; with 'auto' there is one thread then, and `capabilities.details` say why.
 */
export async function cpu(options: CpuOptions = {}): Promise<Backend<Step>> {
  const simd = chooseSimd(options.simd ?? 'auto');
  const maxBytes = checkMaxBytes(options.maxBytes ?? narrowBytes);
  const { engine, threads, note } = await start(simd, maxBytes, options.threads ?? 'auto');
  const { heap } = engine;
  const more = moreMemory(heap.maxBytes);
  return new CpuBackend(engine, {
    dtypes: new Set(['f32', 'i32', 'u32']),
    weights: new Set(['f16', 'bf16', 'q8', 'q4']),
    maxBufferBytes: heap.maxTensorBytes,
    maxMemoryBytes: heap.maxBytes,
    ...(more && { moreMemory: more }),
    maxBindingBytes: heap.maxTensorBytes,
    maxBindings: 64,
    alignment,
    memory: 'arena',
    details: {
      simd: simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD',
      threads,
      ...(heap.wide && { addresses: '64 bits' }),
      ...(note && { 'why one thread': note }),
    },
  });
}

class CpuBackend implements Backend<Step> {
  readonly name = 'cpu';
  readonly kernels = kernels;
  readonly capabilities: Capabilities;
  readonly lost: Promise<Error>;
  readonly #engine: Engine;
  readonly #host: Host;
  #lose: (reason: Error) => void = () => {};
  #lostBecause: Error | undefined;

  constructor(engine: Engine, capabilities: Capabilities) {
    this.#engine = engine;
    this.capabilities = capabilities;
    this.lost = new Promise((resolve) => (this.#lose = resolve));
    void engine.helpers?.failed.then((error) => this.#fail(error));
    const { heap } = engine;
    const threads = 1 + (engine.helpers?.count ?? 0);
    const packStep = heap.allocate(2 * stepWords * heap.wordBytes, 'the packing step');
    const packParameters = heap.allocate(10 * heap.wordBytes, 'the packing step');
    const packClaims = heap.allocate(threads * claimBytes, 'the packing step');
    const packing = new PackedParameters(heap, (request) => {
      const { to, from, rowStride, columnStride, depth, columns, form, panelBytes, inPlace } = request;
      const room = Math.ceil(panelBytes / alignment) * alignment;
      const scratch = inPlace ? heap.allocate(room * threads, 'packing a parameter') : 0;
      const parameters = [to, from, rowStride, columnStride, depth, columns, form, scratch, room, panelBytes];
      const step = { kernel: kernelNumbers.packParameter, parameters: packParameters, parts: threads };
      this.#settle();
      heap.writeBlock(packParameters, parameters);
      heap.writeBlock(
        packStep,
        writeProgram([step], () => packClaims),
      );
      this.#run(heap.pointer(packStep));
      if (inPlace) heap.free(scratch);
    });
    this.#host = {
      heap,
      packing,
      threads,
      kernels,
      capabilities,
      run: (program) => this.#run(program),
      settle: () => this.#settle(),
    };
  }

  get memory(): MemoryUse {
    return this.#engine.heap;
  }

  alloc(bytes: number): Buffer {
    this.#check();
    if (!Number.isInteger(bytes) || bytes < 0)
      throw new BackendError(`alloc: ${bytes} bytes; the size must be a whole number from 0 on`);
    const { heap } = this.#engine;
    if (heap.wide && bytes > heap.maxTensorBytes)
      throw new BackendError(
        `alloc: ${bytes} bytes; with 64-bit addresses a buffer has ${heap.maxTensorBytes} at most`,
      );
    return new DeviceBuffer(heap, bytes);
  }

  write(buffer: Buffer, data: ArrayBufferView, byteOffset = 0): void {
    const target = this.#own('write', buffer, byteOffset, data.byteLength);
    if (byteOffset % 4 !== 0 || data.byteLength % 4 !== 0)
      throw new BackendError(`write: ${data.byteLength} bytes at ${byteOffset}; both must be multiples of 4`);
    if (target.readers > 0)
      throw new BackendError(
        `write: the buffer of ${buffer.bytes} bytes is a parameter of ${target.readers} loaded programs, which keep repacked copies of it; dispose them first, or trace it as a state`,
      );
    this.#host.packing.restore(target);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#engine.heap.bytesView.set(bytes, target.address + byteOffset);
  }

  async read(buffer: Buffer, byteOffset = 0, bytes = buffer.bytes - byteOffset): Promise<Uint8Array<ArrayBuffer>> {
    const source = this.#own('read', buffer, byteOffset, bytes);
    const all = this.#host.packing.bytes(source);
    const plain = source.panels ? unpack(all, source.panels) : all;
    return new Uint8Array(plain.subarray(byteOffset, byteOffset + bytes));
  }

  async load(plan: Plan, bound: Readonly<Record<string, Buffer>>, options: LoadOptions = {}): Promise<Program> {
    options.signal?.throwIfAborted();
    this.#check();
    return new LoadedProgram(this.#host, plan, bound);
  }

  [Symbol.dispose](): void {
    this.#fail(new DeviceLostError('cpu: the backend was disposed'));
  }

  #check(): void {
    if (this.#lostBecause) throw new DeviceLostError(this.#lostBecause.message, { cause: this.#lostBecause });
  }

  #own(op: string, buffer: Buffer, byteOffset: number, bytes: number): DeviceBuffer {
    this.#check();
    if (!(buffer instanceof DeviceBuffer) || !buffer.belongsTo(this.#engine.heap))
      throw new BackendError(`${op}: the buffer belongs to another backend`);
    if (buffer.disposed) throw new BackendError(`${op}: the buffer of ${buffer.bytes} bytes was disposed`);
    if (byteOffset < 0 || bytes < 0 || byteOffset + bytes > buffer.bytes)
      throw new BackendError(
        `${op}: ${bytes} bytes at ${byteOffset} of a buffer of ${buffer.bytes}; they must lie within it`,
      );
    return buffer;
  }

  #settle(): void {
    const { heap, helpers } = this.#engine;
    if (helpers) settle(heap.words);
  }

  #run(program: number | bigint): void {
    if (this.#lostBecause) this.#check();
    const { exports, heap, helpers } = this.#engine;
    try {
      exports.run(program);
    } catch (cause) {
      this.#fail(new BackendError(`cpu: a kernel failed: ${String(cause)}`, { cause }));
    }
    if (helpers && anyFailed(heap.words)) this.#fail(new BackendError('cpu: a thread failed'));
    if (this.#lostBecause) this.#check();
  }

  #fail(reason: Error): void {
    if (this.#lostBecause) return;
    this.#lostBecause = reason;
    const { helpers, heap } = this.#engine;
    if (helpers) {
      releaseAll(heap.memory);
      helpers.dispose();
    }
    this.#lose(reason);
  }
}
