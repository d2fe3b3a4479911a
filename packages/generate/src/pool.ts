// Programs that were made for inputs of some size serve the next inputs of that size: a model keeps the latest few, and more of
// them while they are small. They are the first to go where memory ends.
import type { LoadedModel } from '@transept/models';
import { BackendError } from '@transept/tensor';

/** Something that may serve again, and the bytes that disposing it frees. */
export interface Reusable extends Disposable {
  readonly bytes: number;
}

/** Idle things of each kind that a model keeps: so many whatever they take, and up to `most` that take no more than `bytes` together. */
export const keptIdle = { least: 6, most: 16, bytes: 2 ** 26 };

class Pool implements Disposable {
  /** The one used last at the end. */
  #idle: { readonly key: string; readonly thing: Reusable }[] = [];

  take(key: string): Reusable | undefined {
    const at = this.#idle.findLastIndex((i) => i.key === key);
    return at < 0 ? undefined : this.#idle.splice(at, 1)[0]!.thing;
  }

  give(key: string, thing: Reusable): void {
    const { least, most, bytes } = keptIdle;
    this.#idle.push({ key, thing });
    let taken = this.#idle.reduce((sum, idle) => sum + idle.thing.bytes, 0);
    while (this.#idle.length > (taken > bytes ? least : most)) {
      const oldest = this.#idle.shift()!.thing;
      taken -= oldest.bytes;
      oldest[Symbol.dispose]();
    }
  }

  get empty(): boolean {
    return this.#idle.length === 0;
  }

  [Symbol.dispose](): void {
    for (const { thing } of this.#idle) thing[Symbol.dispose]();
    this.#idle = [];
  }
}

const pools = new WeakMap<LoadedModel, Map<string, Pool>>();

function poolOf(loaded: LoadedModel, kind: string): Pool {
  let kinds = pools.get(loaded);
  if (!kinds) pools.set(loaded, (kinds = new Map()));
  let pool = kinds.get(kind);
  if (!pool) kinds.set(kind, (pool = loaded.keep(new Pool())));
  return pool;
}

/** Make something on a model's device; where the device refuses, once more without what is idle there. */
export async function makingRoom<T>(loaded: LoadedModel, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    const idle = [...(pools.get(loaded)?.values() ?? [])].filter((pool) => !pool.empty);
    if (!(error instanceof BackendError) || idle.length === 0) throw error;
    for (const pool of idle) pool[Symbol.dispose]();
    return make();
  }
}

/** Something that goes back to its model's pool when it is disposed, or away when what it did failed. */
export interface Borrowed<T> extends Disposable {
  readonly it: T;
  /** It ended as it should, so it may serve again. */
  done: boolean;
}

/** Take an idle one of a kind with this key, or make one. The model's weights stay until it is given back. */
export async function borrow<T extends Reusable>(
  loaded: LoadedModel,
  kind: string,
  key: string,
  make: () => Promise<T>,
): Promise<Borrowed<T>> {
  using undo = new DisposableStack();
  undo.use(loaded.hold());
  const pool = poolOf(loaded, kind);
  const it = (pool.take(key) as T | undefined) ?? (await makingRoom(loaded, make));
  const held = undo.move();
  const borrowed: Borrowed<T> = {
    it,
    done: false,
    [Symbol.dispose]() {
      using _ = held;
      if (borrowed.done) pool.give(key, it);
      else it[Symbol.dispose]();
    },
  };
  return borrowed;
}
