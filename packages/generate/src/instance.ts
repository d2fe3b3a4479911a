// A graph of a model, made ready on the model's device with the buffers it needs beyond the weights.
import type { LoadedModel } from '@transept/models';
import { BackendError, lower } from '@transept/tensor';
import type { Buffer, Plan, Program, TracedGraph } from '@transept/tensor';
import { makingRoom } from './pool.ts';

/** Called while a program is made ready: parts of it that are, such as shaders, and how many there are. */
export type OnPrepare = (ready: number, total: number) => void;

/** A program and its buffers. Disposing it frees those that it allocated. */
export interface Instance extends Disposable {
  readonly plan: Plan;
  readonly program: Program;
  /** Bound buffers by name, the weights included. */
  readonly buffers: Readonly<Record<string, Buffer>>;
  /** Bytes that disposing it frees: temporaries, and buffers that it allocated. */
  readonly bytes: number;
  write(name: string, data: ArrayBufferView): void;
  /** Numbers of a buffer that was planned with `readback`, as the latest run left them. */
  floats(name: string): Promise<Float32Array<ArrayBuffer>>;
  integers(name: string): Promise<Int32Array<ArrayBuffer>>;
}

export interface InstanceOptions {
  readonly readback?: readonly string[];
  /** Buffers of others to use, by name. */
  readonly bind?: Readonly<Record<string, Buffer>>;
  readonly signal?: AbortSignal | undefined;
  readonly onPrepare?: OnPrepare | undefined;
}

export const instantiate = (
  loaded: LoadedModel,
  traced: TracedGraph,
  options: InstanceOptions = {},
): Promise<Instance> => makingRoom(loaded, () => makeInstance(loaded, traced, options));

async function makeInstance(loaded: LoadedModel, traced: TracedGraph, options: InstanceOptions): Promise<Instance> {
  const { readback = [], bind = {}, signal, onPrepare } = options;
  const { backend, stored } = loaded;
  const plan = lower(traced, backend, { readback, stored });
  using undo = new DisposableStack();
  const buffers: Record<string, Buffer> = {};
  let bytes = 0;
  for (const b of plan.buffers) {
    const parameter = b.kind === 'bound' && b.role === 'parameter' && traced.graph.parameters.get(b.name);
    const given = parameter ? loaded.parameter(parameter) : b.kind === 'bound' && bind[b.name];
    if (!given) bytes += b.bytes;
    if (b.kind === 'bound') buffers[b.name] = given || undo.use(backend.alloc(b.bytes));
  }
  const program = undo.use(
    await backend.load(plan, buffers, { ...(signal && { signal }), ...(onPrepare && { onProgress: onPrepare }) }),
  );
  const owned = undo.move();
  const find = (name: string): Buffer => {
    const buffer = buffers[name];
    if (!buffer)
      throw new BackendError(
        `instance: "${plan.name}" has no buffer "${name}"; it has ${Object.keys(buffers).join(', ')}`,
      );
    return buffer;
  };
  return {
    plan,
    program,
    buffers,
    bytes,
    write: (name, data) => backend.write(find(name), data),
    floats: async (name) => new Float32Array((await program.read(name)).buffer),
    integers: async (name) => new Int32Array((await program.read(name)).buffer),
    [Symbol.dispose]: () => owned.dispose(),
  };
}
