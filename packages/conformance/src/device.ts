// A fenced plan on a backend: memory is filled, the program runs, and everything there is gets read back.
import type { Backend, Buffer, Program } from '@transept/tensor';
import { memoryOf } from './fence.ts';
import type { FencedPlan } from './fence.ts';

/** All memory of a fenced plan, in the order of its buffers. */
export type Memory = readonly Uint8Array<ArrayBuffer>[];

/** A fenced plan with memory of its own. */
export class Loaded implements Disposable {
  readonly fenced: FencedPlan;
  readonly bound: Readonly<Record<string, Buffer>>;
  readonly #backend: Backend;
  readonly #program: Program;
  readonly #owned: DisposableStack;

  private constructor(
    backend: Backend,
    fenced: FencedPlan,
    program: Program,
    bound: Record<string, Buffer>,
    owned: DisposableStack,
  ) {
    this.#backend = backend;
    this.#program = program;
    this.#owned = owned;
    this.fenced = fenced;
    this.bound = bound;
  }

  /** Allocate the buffers, write `before` to them and load the program. */
  static async load(backend: Backend, fenced: FencedPlan, before: Memory): Promise<Loaded> {
    using stack = new DisposableStack();
    const bound: Record<string, Buffer> = {};
    fenced.buffers.forEach(({ name, total }, i) => {
      bound[name] = stack.use(backend.alloc(total));
      backend.write(bound[name], before[i]!);
    });
    const program = stack.use(await backend.load(fenced.plan, bound));
    return new Loaded(backend, fenced, program, bound, stack.move());
  }

  /** Write all memory again that a loaded program may have written over. */
  restore(before: Memory): void {
    this.fenced.buffers.forEach(({ name, role }, i) => {
      if (role !== 'parameter') this.#backend.write(this.bound[name]!, before[i]!);
    });
  }

  async run(scalars: readonly number[]): Promise<Memory> {
    this.#program.run(scalars);
    return this.readAll();
  }

  readAll(): Promise<Memory> {
    return Promise.all(this.fenced.buffers.map(({ name }) => this.#backend.read(this.bound[name]!)));
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** The memory of a fenced plan before its first run: sentinels, and contents where there are any. */
export const memoryBefore = ({ buffers }: FencedPlan, contents: ReadonlyMap<string, ArrayBufferView>): Memory =>
  buffers.map((b) => memoryOf(b, contents.get(b.name)));

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
