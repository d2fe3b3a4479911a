// The smallest complete backend: six primitives over typed arrays, nothing fused. docs/writing-a-backend.md builds it step by
// step. `transept --backend-module` finds the export `backend`.
import { BackendError } from '@transept/tensor';
import type { Backend, Buffer, Capabilities, Kernel, Plan, Program, View } from '@transept/tensor';
import { kernels } from './kernels.ts';
import type { Step } from './kernels.ts';
import { dtypes, elementsOf, Memory } from './memory.ts';

const capabilities: Capabilities = {
  dtypes: new Set(dtypes),
  maxBufferBytes: 2 ** 31,
  maxBindingBytes: 2 ** 31,
  maxBindings: 32,
  alignment: 8,
  memory: 'arena',
  details: { engine: 'JavaScript', threads: 1 },
};

export function backend(): Backend<Step> {
  const memory = new Memory();
  return {
    name: 'minimal',
    capabilities,
    kernels,
    memory,
    lost: new Promise(() => {}), // a device that cannot be lost
    alloc: (bytes) => memory.alloc(bytes),
    write(buffer, data, byteOffset = 0) {
      const { block } = memory.of(buffer, 'write', byteOffset + data.byteLength, byteOffset);
      new Uint8Array(block).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), byteOffset);
    },
    async read(buffer, byteOffset = 0, bytes = buffer.bytes - byteOffset) {
      const { block } = memory.of(buffer, 'read', byteOffset + bytes, byteOffset);
      return new Uint8Array(block.slice(byteOffset, byteOffset + bytes));
    },
    async load(plan, bound, { signal } = {}) {
      signal?.throwIfAborted();
      return load(plan, bound, memory);
    },
    [Symbol.dispose]: () => void (memory.closed = true),
  };
}

function load(plan: Plan, bound: Readonly<Record<string, Buffer>>, memory: Memory): Program {
  using undo = new DisposableStack();
  const blocks = plan.buffers.map((planned) => {
    if (planned.kind === 'temporary') return memory.of(undo.use(memory.alloc(planned.bytes)), 'load').block;
    const what = `load: "${planned.name}" of plan "${plan.name}"`;
    const buffer = bound[planned.name];
    if (!buffer) throw new BackendError(`${what}: nothing is bound to it; it takes ${planned.bytes} bytes`);
    const used = memory.of(buffer, what, planned.bytes);
    used.users++;
    undo.defer(() => used.users--);
    return used.block;
  });
  const scalars = new Float64Array(plan.scalars.length);
  const memoryOf = (view: View) => elementsOf(blocks[view.buffer]!, view.dtype);
  const steps = plan.calls.map((call) => {
    const kernel = kernels[call.op] as Kernel<Step>; // lowering leaves only what there is a kernel for
    return kernel.prepare(call, plan, capabilities)({ memory: memoryOf, scalars });
  });

  const owned = undo.move();
  const alive = (what: string): void => {
    memory.check(what);
    if (owned.disposed) throw new BackendError(`${what}: program "${plan.name}" was disposed of`);
  };
  return {
    plan,
    dispatches: steps.length,
    run(values = []) {
      alive('run');
      if (values.length !== scalars.length)
        throw new BackendError(`run: "${plan.name}" takes ${scalars.length} scalars; received ${values.length}`);
      scalars.set(values);
      for (const step of steps) step();
    },
    async read(name) {
      alive('read');
      const at = plan.buffers.findIndex((b) => b.kind === 'bound' && b.name === name && b.readback);
      if (at < 0) throw new BackendError(`read: "${plan.name}" was not planned to read back "${name}"`);
      return new Uint8Array(blocks[at]!.slice(0, plan.buffers[at]!.bytes));
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}
