// The reference backend: host memory and the primitives of kernels.ts, nothing fused. Slow and plain, it says what is right.
import type { Backend, Capabilities, Kernel, Kernels, Program } from '../backend.ts';
import { BackendError } from '../errors.ts';
import type { Plan, View } from '../plan.ts';
import { elements } from '../shape.ts';
import { expandStored, storedBytes } from '../storage.ts';
import { primitives } from './kernels.ts';
import type { Step } from './kernels.ts';
import { elementsOf, HostMemory } from './memory.ts';

export interface ReferenceOptions {
  /** Kernels that replace or join the primitives. */
  readonly kernels?: Partial<Kernels<Step>>;
  /** How plans lay out temporaries. Default: `arena`. */
  readonly memory?: Capabilities['memory'];
}

/** Straightforward TypeScript, sums in f64. */
export function reference(options: ReferenceOptions = {}): Backend<Step> {
  const memory = new HostMemory();
  const kernels: Kernels<Step> = { ...primitives, ...options.kernels };
  const capabilities: Capabilities = {
    dtypes: new Set(['f32', 'f16', 'i32', 'u32', 'i8', 'u8']),
    weights: new Set(['f16', 'bf16', 'q8', 'q4']),
    maxBufferBytes: 2 ** 32,
    maxBindingBytes: 2 ** 32,
    maxBindings: 64,
    alignment: 64,
    memory: options.memory ?? 'arena',
    details: { engine: 'TypeScript', accumulation: 'f64', threads: 1 },
  };
  const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const backend: Backend<Step> = {
    name: 'reference',
    capabilities,
    kernels,
    memory,
    lost: memory.lost,
    alloc: (bytes) => memory.alloc(bytes),
    write(buffer, data, byteOffset = 0) {
      const target = memory.of(buffer, 'write');
      if (byteOffset + data.byteLength > target.byteLength)
        throw new BackendError(
          `write: ${data.byteLength} bytes at ${byteOffset} do not fit a buffer of ${target.byteLength}`,
        );
      new Uint8Array(target).set(bytesOf(data), byteOffset);
    },
    async read(buffer, byteOffset = 0, bytes = buffer.bytes - byteOffset) {
      const source = memory.of(buffer, 'read');
      if (byteOffset < 0 || bytes < 0 || byteOffset + bytes > source.byteLength)
        throw new BackendError(
          `read: bytes ${byteOffset} to ${byteOffset + bytes} of a buffer of ${source.byteLength}; it must lie within`,
        );
      return new Uint8Array(source.slice(byteOffset, byteOffset + bytes));
    },
    async load(plan, bound, { signal } = {}) {
      signal?.throwIfAborted();
      memory.check();
      return load(plan, bound, backend, memory);
    },
    [Symbol.dispose]: () => memory.close(),
  };
  return backend;
}

function load(plan: Plan, bound: Parameters<Backend['load']>[1], backend: Backend<Step>, memory: HostMemory): Program {
  using undo = new DisposableStack();
  const buffers = plan.buffers.map((planned): ArrayBuffer => {
    if (planned.kind === 'temporary') {
      const buffer = undo.use(memory.alloc(planned.bytes));
      return memory.of(buffer, 'load');
    }
    const buffer = bound[planned.name];
    if (!buffer)
      throw new BackendError(
        `load: nothing is bound to "${planned.name}" of plan "${plan.name}"; it takes ${planned.bytes} bytes`,
      );
    if (buffer.bytes < planned.bytes)
      throw new BackendError(
        `load: "${planned.name}" of plan "${plan.name}" is bound to ${buffer.bytes} bytes; it takes ${planned.bytes}`,
      );
    undo.defer(memory.use(buffer, `load of "${planned.name}"`));
    return memory.of(buffer, 'load');
  });
  const expanded = buffers.map((memory, i) => {
    const planned = plan.buffers[i]!;
    if (planned.kind !== 'bound' || !planned.stored) return undefined;
    return expandStored(
      planned.stored,
      new Uint8Array(memory, 0, storedBytes(planned.stored, elements(planned.shape))),
    );
  });
  const at = (view: View) => expanded[view.buffer] ?? elementsOf(buffers[view.buffer]!, view.dtype);
  const steps = plan.calls.map((call) =>
    (backend.kernels[call.op] as Kernel<Step>).prepare(call, plan, backend.capabilities)(at),
  );
  const owned = undo.move();
  return {
    plan,
    dispatches: steps.length,
    run(scalars = []) {
      memory.check();
      if (owned.disposed) throw new BackendError(`run: program "${plan.name}" was disposed`);
      if (scalars.length !== plan.scalars.length)
        throw new BackendError(
          `run: program "${plan.name}" takes ${plan.scalars.length} scalars, received ${scalars.length}`,
        );
      for (const step of steps) step(scalars);
    },
    async read(name) {
      if (owned.disposed) throw new BackendError(`read: program "${plan.name}" was disposed`);
      const which = plan.buffers.findIndex((b) => b.kind === 'bound' && b.name === name && b.readback);
      if (which < 0) throw new BackendError(`read: program "${plan.name}" was not planned to read back "${name}"`);
      return new Uint8Array(buffers[which]!.slice(0, plan.buffers[which]!.bytes));
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}
