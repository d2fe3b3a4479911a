// Faults of a backend around right kernels: memory, order, what is kept between runs, what is refused.
import type { Backend, Buffer, Plan, Program } from '@transept/tensor';
import type { BackendFault } from './fault.ts';

const of = (faults: Readonly<Record<string, (backend: Backend) => Partial<Backend>>>): BackendFault[] =>
  Object.entries(faults).map(([name, change]) => ({
    op: 'program',
    name,
    wrap: (backend) => Object.assign(Object.create(backend) as Backend, change(backend)),
  }));

/** Programs that behave in another way. */
const programs =
  (change: (program: Program, backend: Backend, bound: Readonly<Record<string, Buffer>>) => Partial<Program>) =>
  (backend: Backend): Partial<Backend> => ({
    async load(plan, bound, options) {
      const program = await backend.load(plan, bound, options);
      return { ...program, ...change(program, backend, bound) };
    },
  });

/** Plans that are changed before they are loaded. */
const plans =
  (change: (plan: Plan) => Plan) =>
  (backend: Backend): Partial<Backend> => ({
    load: (plan, bound, options) => backend.load(change(plan), bound, options),
  });

export const programFaults: readonly BackendFault[] = of({
  'a missing barrier: a kernel begins before the one it reads from': plans((plan) => {
    const { calls } = plan;
    const at = calls.findIndex((call, i) => i > 0 && call.inputs.some((v) => v.buffer === calls[i - 1]!.output.buffer));
    return at < 0 ? plan : { ...plan, calls: calls.with(at - 1, calls[at]!).with(at, calls[at - 1]!) };
  }),
  'two temporaries in one place': plans((plan) => {
    const temporaries = plan.buffers.flatMap((b, i) => (b.kind === 'temporary' ? [i] : []));
    const [a, b] = temporaries;
    if (a === undefined || b === undefined) return plan;
    const moved = <V extends { buffer: number }>(view: V): V => (view.buffer === b ? { ...view, buffer: a } : view);
    return {
      ...plan,
      calls: plan.calls.map((call) => ({ ...call, inputs: call.inputs.map(moved), output: moved(call.output) })),
    };
  }),
  'the last kernel left out': plans((plan) => ({
    ...plan,
    calls: plan.calls.length > 2 ? plan.calls.slice(0, -1) : plan.calls,
  })),
  'memory not cleared': (backend) => ({
    alloc(bytes) {
      const buffer = backend.alloc(bytes);
      if (bytes >= 4) backend.write(buffer, new Uint8Array(bytes & ~3).fill(1));
      return buffer;
    },
  }),
  'offsets of writes ignored': (backend) => ({ write: (buffer, data) => backend.write(buffer, data) }),
  'offsets of reads ignored': (backend) => ({
    read: (buffer, offset = 0, bytes = buffer.bytes - offset) => backend.read(buffer, 0, bytes),
  }),
  'reads of the whole memory behind a view': (backend) => ({
    write: (buffer, data, offset) =>
      backend.write(
        buffer,
        new Uint8Array(data.buffer, 0, Math.min(data.buffer.byteLength, buffer.bytes - (offset ?? 0))),
        offset,
      ),
  }),
  'reads beyond the end give zeros': (backend) => ({
    async read(buffer, offset = 0, bytes = buffer.bytes - offset) {
      const all = new Uint8Array(bytes);
      all.set(await backend.read(buffer, Math.max(0, offset), Math.max(0, Math.min(bytes, buffer.bytes - offset))));
      return all;
    },
  }),
  'reads see what a later run writes': (backend) => ({
    async read(buffer, offset, bytes) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return backend.read(buffer, offset, bytes);
    },
  }),
  'what was copied out is what the latest run left': programs((program) => ({
    async read(name) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return program.read(name);
    },
  })),
  'scalars one run late': programs((program) => {
    let before: readonly number[] | undefined;
    return {
      run(scalars) {
        program.run(before ?? scalars);
        before = scalars;
      },
    };
  }),
  'every 1,000th run lost': programs((program) => {
    let runs = 0;
    return { run: (scalars) => void (++runs % 1000 === 0 || program.run(scalars)) };
  }),
  'missing scalars count as 0': programs((program) => ({
    run: (scalars = []) => program.run(program.plan.scalars.map((_, i) => scalars[i] ?? 0)),
  })),
  'a disposed program runs on': (backend) => ({
    async load(plan, bound, options) {
      const program = await backend.load(plan, bound, options);
      return { ...program, [Symbol.dispose]() {} };
    },
  }),
  'a disposed buffer can be used': (backend) => ({
    alloc(bytes) {
      const buffer = backend.alloc(bytes);
      return Object.assign(buffer, { [Symbol.dispose]() {} });
    },
  }),
  'a program disposes of what is bound to it': programs((program, _, bound) => ({
    [Symbol.dispose]() {
      program[Symbol.dispose]();
      for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
    },
  })),
  'a buffer in use may be disposed of': (backend) => {
    const used = new Map<Buffer, Buffer>();
    return {
      async load(plan, bound, options) {
        const copies = Object.fromEntries(
          Object.entries(bound).map(([name, buffer]) => [name, used.get(buffer) ?? backend.alloc(buffer.bytes)]),
        );
        for (const [name, copy] of Object.entries(copies)) backend.write(copy, await backend.read(bound[name]!));
        return backend.load(plan, copies, options);
      },
    };
  },
  'a load that fails keeps its memory': (backend) => ({
    async load(plan, bound, options) {
      const mine = backend.alloc(1024);
      const program = await backend.load(plan, bound, options);
      mine[Symbol.dispose]();
      return program;
    },
  }),
  'every load keeps some memory': (backend) => ({
    load(plan, bound, options) {
      backend.alloc(64);
      return backend.load(plan, bound, options);
    },
  }),
  'buffers bound by size': (backend) => ({
    load(plan, bound, options) {
      const bySize = Object.entries(bound).sort(([a], [b]) => (a < b ? -1 : 1));
      const names = Object.keys(bound);
      const sizes = new Set(Object.values(bound).map((b) => b.bytes));
      if (sizes.size > 1 || names.length < 3) return backend.load(plan, bound, options);
      return backend.load(plan, Object.fromEntries(names.map((name, i) => [name, bySize[i]![1]])), options);
    },
  }),
  'a parameter of one program kept for the next': (backend) => {
    const kept = new Map<string, Buffer>();
    return {
      load(plan, bound, options) {
        const own = { ...bound };
        for (const b of plan.buffers)
          if (
            b.kind === 'bound' &&
            b.role === 'parameter' &&
            bound[b.name]?.bytes === kept.get(b.name)?.bytes &&
            kept.has(b.name)
          )
            own[b.name] = kept.get(b.name)!;
          else if (b.kind === 'bound' && b.role === 'parameter' && bound[b.name]) kept.set(b.name, bound[b.name]!);
        return backend.load(plan, own, options);
      },
    };
  },
  'buffers too small are taken': (backend) => ({
    load(plan, bound, options) {
      const enough = plan.buffers.map((b) =>
        b.kind === 'bound' && bound[b.name] ? { ...b, bytes: Math.min(b.bytes, bound[b.name]!.bytes) } : b,
      );
      return backend.load({ ...plan, buffers: enough }, bound, options);
    },
  }),
  'an aborted load goes on': (backend) => ({ load: (plan, bound) => backend.load(plan, bound) }),
  'disposing does nothing': () => ({ [Symbol.dispose]() {} }),
  'sizes that are no whole numbers are taken': (backend) => ({
    alloc: (bytes) => backend.alloc(Math.max(0, Math.ceil(bytes) || 0)),
  }),
});
