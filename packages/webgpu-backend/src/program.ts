// A plan on a device. Loading makes everything there is to make: pipelines, bind groups, temporaries, staging. A run then
// writes the scalars once, encodes one pass from arrays and submits once.
import { BackendError } from '@transept/tensor';
import type { Buffer, Call, LoadOptions, Plan, PlannedBuffer, Program } from '@transept/tensor';
import { GpuBuffer } from './buffer.ts';
import { bufferUsage } from './constants.ts';
import type { Context } from './context.ts';
import { readOnce, StagingRing } from './staging.ts';
import { scratch } from './step.ts';
import type { Dispatch, Step } from './step.ts';
import { stampPasses } from './timestamps.ts';
import { turns } from './turns.ts';

type Bound = Extract<PlannedBuffer, { kind: 'bound' }>;

/** What a program needs from its backend. */
export interface Host {
  readonly context: Context;
  prepare(call: Call, plan: Plan): Step;
  readonly onDispose: (program: GpuProgram) => void;
}

interface Readback {
  readonly source: GPUBuffer;
  readonly ring: StagingRing;
}

interface Work {
  readonly dispatch: Dispatch;
  readonly call: Call;
}

interface Replay {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: Dispatch['workgroups'];
  readonly call: Call;
}

export class GpuProgram implements Program {
  readonly plan: Plan;
  readonly #host: Host;
  readonly #replays: Replay[] = [];
  readonly #owned: GPUBuffer[] = [];
  readonly #users: GpuBuffer[] = [];
  readonly #readbacks = new Map<string, Readback>();
  readonly #copies: Readback[] = [];
  readonly #commands: GPUCommandBuffer[] = [];
  readonly #block = new ArrayBuffer(64);
  readonly #floats = new Float32Array(this.#block);
  readonly #integers = new Int32Array(this.#block);
  #uniform: GPUBuffer | undefined;
  #scratch: GPUBuffer | undefined;
  #disposed = false;

  private constructor(host: Host, plan: Plan) {
    this.#host = host;
    this.plan = plan;
  }

  static async load(
    host: Host,
    plan: Plan,
    bound: Readonly<Record<string, Buffer>>,
    options: LoadOptions = {},
  ): Promise<GpuProgram> {
    const program = new GpuProgram(host, plan);
    try {
      options.signal?.throwIfAborted();
      await program.#load(bound, options);
      return program;
    } catch (error) {
      program[Symbol.dispose]();
      throw error;
    }
  }

  async #load(bound: Readonly<Record<string, Buffer>>, { signal, onProgress }: LoadOptions): Promise<void> {
    const { plan } = this;
    const { context } = this.#host;
    const what = `load ${plan.name}`;
    const supplied = plan.buffers.map((b) => (b.kind === 'bound' ? this.#take(b, bound, what) : undefined));
    const work: Work[] = [];
    const turn = turns();
    for (const call of plan.calls) {
      await turn();
      for (const dispatch of this.#host.prepare(call, plan)) {
        this.#checkLimits(dispatch, call);
        work.push({ dispatch, call });
      }
    }
    signal?.throwIfAborted();
    context.check(what);

    const refuse = async (which: string, error: string): Promise<never> => {
      await context.settleLoss(what);
      throw new BackendError(`${what}: the memory ${which} could not be had: ${this.#sizes()}: ${error}`);
    };
    for (const [i, buffer] of supplied.entries()) {
      const error = await buffer?.error;
      if (error !== undefined) await refuse(`of ${(plan.buffers[i] as Bound).name}, ${buffer!.bytes} bytes,`, error);
      buffer?.check(what);
    }
    const scratchBytes = Math.max(0, ...work.flatMap(({ dispatch }) => scratchIn(dispatch)));
    const allocation = context.scoped(() => {
      if (scratchBytes > 0) this.#scratch = this.#own(scratchBytes);
      plan.buffers.forEach((b, i) => b.kind === 'bound' && b.readback && this.#addReadback(b, supplied[i]!.gpu));
      return plan.buffers.map((b, i) => supplied[i]?.gpu ?? this.#own(b.bytes));
    });
    const buffers = allocation.value;
    const compiled = this.#compile(work, onProgress);
    compiled.catch(() => {});
    const allocationError = await allocation.error;
    if (allocationError !== undefined) await refuse('for running it', allocationError);
    signal?.throwIfAborted();
    const pipelines = await unlessAborted(compiled, signal).catch(async (error: unknown) => {
      if (!signal?.aborted) await context.settleLoss(what);
      throw error;
    });
    context.check(what);

    const binding = context.scoped(() => {
      const groups = new Map<string, GPUBindGroup>();
      work.forEach(({ dispatch, call }, i) => {
        const key = JSON.stringify([dispatch.bindings, dispatch.scalars]);
        let group = groups.get(key);
        if (!group) groups.set(key, (group = this.#group(dispatch, buffers)));
        this.#replays.push({ pipeline: pipelines[i]!, group, workgroups: dispatch.workgroups, call });
      });
    });
    const bindingError = await binding.error;
    if (bindingError !== undefined) {
      await context.settleLoss(what);
      throw new BackendError(`${what}: the buffers could not be bound: ${bindingError}`);
    }
    signal?.throwIfAborted();
    context.check(what);
  }

  /** The pipeline of each dispatch. All compile at the same time, as far as the device takes them. */
  #compile(work: readonly Work[], onProgress: LoadOptions['onProgress']): Promise<GPUComputePipeline[]> {
    const { pipelines } = this.#host.context;
    const shaders = new Map<string, Promise<GPUComputePipeline>>();
    for (const { dispatch, call } of work)
      if (!shaders.has(dispatch.code))
        shaders.set(dispatch.code, pipelines.get(dispatch, `${call.op} at ${call.label}`));
    let ready = 0;
    const report = (): void => onProgress?.(++ready, shaders.size);
    for (const shader of shaders.values()) shader.then(report, () => {});
    return Promise.all(work.map(({ dispatch }) => shaders.get(dispatch.code)!));
  }

  get dispatches(): number {
    return this.#replays.length;
  }

  /** The calls that the dispatches were made for, and the workgroups of each dispatch. */
  get origins(): readonly Call[] {
    return this.#replays.map(({ call }) => call);
  }
  get workgroups(): readonly number[] {
    return this.#replays.map(({ workgroups: [x, y, z] }) => x * y * z);
  }

  run(scalars: readonly number[] = []): void {
    const { device } = this.#host.context;
    this.#begin('run', scalars);
    const encoder = device.createCommandEncoder();
    if (this.#replays.length > 0) this.#encode(encoder.beginComputePass());
    for (const { source, ring } of this.#copies) {
      const target = ring.next();
      if (target) encoder.copyBufferToBuffer(source, 0, target, 0, Math.ceil(ring.bytes / 4) * 4);
    }
    this.#commands[0] = encoder.finish();
    device.queue.submit(this.#commands);
  }

  /** A run that tells for each dispatch when it began and ended, in nanoseconds. Nothing is copied out. */
  async runTimed(scalars: readonly number[]): Promise<BigInt64Array<ArrayBuffer>> {
    this.#begin('profile', scalars);
    return stampPasses(this.#host.context, this.#replays.length, (pass, i) => {
      const { pipeline, group, workgroups } = this.#replays[i]!;
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    });
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const op = `read ${name}`;
    this.#check(op);
    const readback = this.#readbacks.get(name);
    if (!readback)
      throw new BackendError(
        `${op}: not a buffer that ${this.plan.name} copies out: it has ${[...this.#readbacks.keys()].join(', ') || 'none'}; name it in the plan's readback`,
      );
    const { source, ring } = readback;
    const latest = ring.read(op);
    if (latest) return latest;
    const all = await readOnce(this.#host.context, source, { bytes: Math.ceil(ring.bytes / 4) * 4, op });
    return all.slice(0, ring.bytes);
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#users) buffer.users--;
    for (const buffer of this.#owned) this.#host.context.destroyBuffer(buffer);
    for (const { ring } of this.#copies) ring.destroy();
    this.#host.onDispose(this);
  }

  #begin(op: string, scalars: readonly number[]): void {
    this.#check(op);
    if (scalars.length !== this.plan.scalars.length) this.#refuse(op, scalars);
    if (!this.#uniform) return;
    this.#fill(scalars);
    this.#host.context.device.queue.writeBuffer(this.#uniform, 0, this.#block);
  }

  #encode(pass: GPUComputePassEncoder): void {
    let pipeline: GPUComputePipeline | undefined;
    let group: GPUBindGroup | undefined;
    for (const replay of this.#replays) {
      if (replay.pipeline !== pipeline) pass.setPipeline((pipeline = replay.pipeline));
      if (replay.group !== group) pass.setBindGroup(0, (group = replay.group));
      pass.dispatchWorkgroups(replay.workgroups[0], replay.workgroups[1], replay.workgroups[2]);
    }
    pass.end();
  }

  #fill(scalars: readonly number[]): void {
    for (let i = 0; i < scalars.length; i++)
      if (this.plan.scalars[i]!.dtype === 'f32') this.#floats[i] = scalars[i]!;
      else this.#integers[i] = scalars[i]!;
  }

  #check(op: string): void {
    this.#host.context.check(op);
    if (this.#disposed) throw new BackendError(`${op}: the program ${this.plan.name} is disposed`);
  }

  #refuse(op: string, scalars: readonly number[]): never {
    const names = this.plan.scalars.map((s) => s.name).join(', ');
    throw new BackendError(
      `${op} ${this.plan.name}: received ${scalars.length} scalars; it takes ${this.plan.scalars.length}: ${names}`,
    );
  }

  /** The caller's buffer for a bound buffer of the plan, held until the program is disposed. */
  #take(planned: Bound, bound: Readonly<Record<string, Buffer>>, what: string): GpuBuffer {
    const { context } = this.#host;
    const buffer = bound[planned.name];
    const wanted = `${planned.name} is a ${planned.role} of ${planned.bytes} bytes`;
    if (!(buffer instanceof GpuBuffer) || buffer.context !== context)
      throw new BackendError(
        `${what}: ${buffer ? 'a buffer of another backend' : 'no buffer'} for ${planned.name}: ${wanted}; alloc it here`,
      );
    buffer.check(what);
    if (buffer.bytes < planned.bytes)
      throw new BackendError(
        `${what}: the buffer for ${planned.name} is too small: it has ${buffer.bytes} bytes; ${wanted}`,
      );
    buffer.users++;
    this.#users.push(buffer);
    return buffer;
  }

  #addReadback({ name, bytes }: Bound, source: GPUBuffer): void {
    const readback = { source, ring: new StagingRing(this.#host.context, name, bytes) };
    this.#readbacks.set(name, readback);
    this.#copies.push(readback);
  }

  #own(bytes: number): GPUBuffer {
    const buffer = this.#host.context.createBuffer(`temporary of ${this.plan.name}`, bytes, bufferUsage.storage);
    this.#owned.push(buffer);
    return buffer;
  }

  #group(dispatch: Dispatch, buffers: readonly GPUBuffer[]): GPUBindGroup {
    const { context } = this.#host;
    const bound = dispatch.bindings.map(({ buffer, range }): GPUBufferBinding =>
      buffer === scratch ? { buffer: this.#scratch! } : { buffer: buffers[buffer]!, ...range },
    );
    if (dispatch.scalars) bound.push({ buffer: this.#scalarBlock() });
    const entries = bound.map((resource, binding) => ({ binding, resource }));
    return context.device.createBindGroup({ layout: context.pipelines.layout(dispatch), entries });
  }

  #scalarBlock(): GPUBuffer {
    if (this.#uniform) return this.#uniform;
    const usage = bufferUsage.uniform | bufferUsage.copyTarget;
    this.#uniform = this.#host.context.createBuffer(`scalars of ${this.plan.name}`, this.#block.byteLength, usage);
    this.#owned.push(this.#uniform);
    return this.#uniform;
  }

  #checkLimits(dispatch: Dispatch, { op, label }: Call): void {
    const { limits } = this.#host.context.device;
    const count = dispatch.bindings.length;
    if (count > limits.maxStorageBuffersPerShaderStage)
      throw new BackendError(
        `${op} at ${label}: too many buffers: ${count}; this device binds up to ${limits.maxStorageBuffersPerShaderStage} to one kernel`,
      );
    for (const { buffer, range } of dispatch.bindings) {
      const planned = buffer === scratch ? undefined : this.plan.buffers[buffer]!;
      const bytes = range?.size ?? planned!.bytes;
      if (bytes > limits.maxStorageBufferBindingSize)
        throw new BackendError(
          `${op} at ${label}: ${planned?.kind === 'bound' ? planned.name : 'a temporary'} is too large to bind: ${bytes} bytes; this device binds up to ${limits.maxStorageBufferBindingSize}`,
        );
    }
  }

  #sizes(): string {
    const sum = (kind: PlannedBuffer['kind']): number =>
      this.plan.buffers.reduce((n, b) => n + (b.kind === kind ? b.bytes : 0), 0);
    return `${sum('temporary')} bytes of temporaries beside ${sum('bound')} bytes bound, ${this.#host.context.bytes} bytes in use`;
  }
}

/** Bytes of scratch that each binding of it needs. */
const scratchIn = ({ bindings }: Dispatch): number[] =>
  bindings.flatMap(({ buffer, range }) => (buffer === scratch ? [range!.size] : []));

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
