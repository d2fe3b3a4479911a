// The backend: memory, kernels and programs on one device.
import { BackendError } from '@transept/tensor';
import type {
  Backend,
  Buffer,
  Call,
  Capabilities,
  DType,
  Kernels,
  LoadOptions,
  MemoryUse,
  Plan,
  Program,
} from '@transept/tensor';
import { GpuBuffer } from './buffer.ts';
import { Context } from './context.ts';
import { requestDevice } from './device.ts';
import type { WebGpuOptions } from './device.ts';
import { kernelsFor } from './kernels/index.ts';
import { GpuProgram } from './program.ts';
import type { Host } from './program.ts';
import { readOnce } from './staging.ts';
import type { Step, Target } from './step.ts';
import { standInOrder } from './subgroups.ts';

/** A backend on a WebGPU device: the one that is given, or one of its own. */
export async function webgpu(options: WebGpuOptions = {}): Promise<Backend<Step>> {
  const { device, info } = options.device
    ? { device: options.device, info: options.device.adapterInfo }
    : await requestDevice(options);
  const target = { ...targetOf(device, info), ...options.target };
  const inOrder = target.subgroup === 1 || (await standInOrder(device, target.subgroup));
  return new WebGpuBackend(device, info, options, inOrder ? target : { ...target, subgroup: 1 }, inOrder);
}

class WebGpuBackend implements Backend<Step> {
  readonly name = 'webgpu';
  readonly capabilities: Capabilities;
  readonly kernels: Kernels<Step>;
  readonly lost: Promise<Error>;
  readonly #context: Context;
  readonly #host: Host;
  readonly #ownsDevice: boolean;
  readonly #buffers = new Set<GpuBuffer>();
  readonly #programs = new Set<GpuProgram>();
  #disposed = false;

  constructor(
    device: GPUDevice,
    info: GPUAdapterInfo | undefined,
    options: WebGpuOptions,
    target: Target,
    inOrder: boolean,
  ) {
    this.capabilities = capabilitiesOf(device, info, target, inOrder);
    this.kernels = kernelsFor(target);
    this.#context = new Context(device);
    this.#ownsDevice = options.device === undefined;
    this.lost = this.#context.lost;
    if (this.#ownsDevice)
      device.addEventListener('uncapturederror', (event) => this.#context.fault(event.error.message));
    this.#host = {
      context: this.#context,
      prepare: (call, plan) => this.#prepare(call, plan),
      onDispose: (program) => void this.#programs.delete(program),
    };
  }

  get memory(): MemoryUse {
    return { bytes: this.#context.bytes, peak: this.#context.peak };
  }

  alloc(bytes: number): Buffer {
    this.#context.check('alloc');
    const buffer = new GpuBuffer(this.#context, bytes, (b) => void this.#buffers.delete(b));
    this.#buffers.add(buffer);
    return buffer;
  }

  write(buffer: Buffer, data: ArrayBufferView, byteOffset = 0): void {
    const target = this.#own(buffer, 'write');
    if (byteOffset % 4 !== 0 || data.byteLength % 4 !== 0)
      throw new BackendError(
        `write: offset and size must be multiples of 4: ${byteOffset} and ${data.byteLength} bytes`,
      );
    this.#checkRange('write', buffer, byteOffset, data.byteLength);
    if (data.byteLength === 0) return;
    this.#context.device.queue.writeBuffer(target.gpu, byteOffset, data.buffer, data.byteOffset, data.byteLength);
  }

  async read(buffer: Buffer, byteOffset = 0, bytes = buffer.bytes - byteOffset): Promise<Uint8Array<ArrayBuffer>> {
    const source = this.#own(buffer, 'read');
    this.#checkRange('read', buffer, byteOffset, bytes);
    if (bytes === 0) return new Uint8Array(0);
    // Not by bits: buffers may be larger than 2 GiB.
    const first = byteOffset - (byteOffset % 4);
    const last = Math.ceil((byteOffset + bytes) / 4) * 4;
    const copy = await readOnce(this.#context, source.gpu, { offset: first, bytes: last - first, op: 'read' });
    return copy.slice(byteOffset - first, byteOffset - first + bytes);
  }

  async load(plan: Plan, bound: Readonly<Record<string, Buffer>>, options?: LoadOptions): Promise<Program> {
    this.#context.check('load');
    const program = await GpuProgram.load(this.#host, plan, bound, options);
    this.#programs.add(program);
    return program;
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#context.close();
    for (const program of this.#programs) program[Symbol.dispose]();
    for (const buffer of this.#buffers) buffer.release();
    if (this.#ownsDevice) this.#context.device.destroy();
  }

  #prepare(call: Call, plan: Plan): Step {
    const kernel = this.kernels[call.op];
    if (kernel) return kernel.prepare(call, plan, this.capabilities);
    throw new BackendError(
      `${call.op} at ${call.label}: the webgpu backend has no such kernel; lower the graph for this backend`,
    );
  }

  #own(buffer: Buffer, op: string): GpuBuffer {
    this.#context.check(op);
    if (!(buffer instanceof GpuBuffer) || buffer.context !== this.#context)
      throw new BackendError(`${op}: a buffer of another backend; use one that this backend's alloc gave`);
    buffer.check(op);
    return buffer;
  }

  #checkRange(op: string, buffer: Buffer, offset: number, bytes: number): void {
    if (
      Number.isInteger(offset) &&
      Number.isInteger(bytes) &&
      offset >= 0 &&
      bytes >= 0 &&
      offset + bytes <= buffer.bytes
    )
      return;
    throw new BackendError(`${op}: outside the buffer: ${bytes} bytes from ${offset}; it has ${buffer.bytes}`);
  }
}

function targetOf(device: GPUDevice, info: GPUAdapterInfo | undefined): Target {
  const subgroup = device.features.has('subgroups') ? (info?.subgroupMinSize ?? 4) : 1;
  const software = isSoftware(info);
  // A read costs a CPU that plays GPU as much as a dozen products.
  const tile = software ? { rows: 6, columns: 8 } : { rows: 4, columns: 4 };
  return {
    subgroup,
    software,
    queries: software ? 2 : 4,
    tile,
    binding: device.limits.maxStorageBufferBindingSize,
    // 256 workgroups of 64 have some 256 kB of reads under way, as much as a GPU fetches in the time that one takes.
    split: { workgroups: software ? 0 : 256, keys: 128, k: 1024 },
  };
}

/** Adapters that compute on the CPU. */
const isSoftware = (info: GPUAdapterInfo | undefined): boolean =>
  info !== undefined &&
  (info.isFallbackAdapter ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${info.architecture} ${info.description}`));

/** Sizes of subgroups, or why kernels do without. */
function subgroupsOf(device: GPUDevice, info: GPUAdapterInfo | undefined, inOrder: boolean): string | false {
  if (!device.features.has('subgroups')) return false;
  const sizes = `${info?.subgroupMinSize}–${info?.subgroupMaxSize}`;
  return inOrder ? sizes : `${sizes}, not used: invocations do not stand in them in order`;
}

function capabilitiesOf(
  device: GPUDevice,
  info: GPUAdapterInfo | undefined,
  target: Target,
  inOrder: boolean,
): Capabilities {
  const { limits, features } = device;
  const dtypes = new Set<DType>(['f32', 'i32', 'u32']);
  if (features.has('shader-f16')) dtypes.add('f16');
  return {
    dtypes,
    weights: new Set(['f16', 'bf16', 'q8', 'q4']),
    maxBufferBytes: limits.maxBufferSize,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBindings: limits.maxStorageBuffersPerShaderStage,
    alignment: 16,
    memory: 'slots',
    arithmetic: 'wgsl',
    queued: true,
    details: {
      vendor: info?.vendor ?? '',
      architecture: info?.architecture ?? '',
      adapter: info?.description || info?.device || '',
      software: target.software,
      subgroups: subgroupsOf(device, info, inOrder),
      f16: features.has('shader-f16'),
      timestamps: features.has('timestamp-query'),
    },
  };
}
