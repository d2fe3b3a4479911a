// Programs that were made for a batch of some size serve the next batch of that size: a model keeps the latest few.
import type { LoadedModel } from '@transept/models';
import { promptContext, sourceContext } from './contexts.ts';
import type { ContextSize } from './contexts.ts';
import { Decoding } from './decoding.ts';
import type { DecodingOptions } from './decoding.ts';

/** Idle decodings that a model keeps. */
const keptIdle = 6;

class Pool implements Disposable {
  /** Idle decodings, the one used last at the end. */
  #idle: { key: string; decoding: Decoding }[] = [];

  take(key: string): Decoding | undefined {
    const at = this.#idle.findLastIndex((i) => i.key === key);
    return at < 0 ? undefined : this.#idle.splice(at, 1)[0]!.decoding;
  }

  give(key: string, decoding: Decoding): void {
    this.#idle.push({ key, decoding });
    if (this.#idle.length > keptIdle) this.#idle.shift()!.decoding[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const { decoding } of this.#idle) decoding[Symbol.dispose]();
    this.#idle = [];
  }
}

const pools = new WeakMap<LoadedModel, Pool>();

/** A decoding that goes back to its model's pool when it is disposed, or away when it failed. */
export interface Borrowed extends Disposable {
  readonly decoding: Decoding;
  /** It ended as it should, so it may serve again. */
  done: boolean;
}

export async function borrow(loaded: LoadedModel, size: ContextSize, options: DecodingOptions): Promise<Borrowed> {
  let pool = pools.get(loaded);
  if (!pool) pools.set(loaded, (pool = loaded.keep(new Pool())));
  const key = JSON.stringify([size.rows, size.length, size.copies, options.choice, options.bans]);
  const context = () => (loaded.model.kind === 'decoder' ? promptContext(loaded, size) : sourceContext(loaded, size));
  const decoding = pool.take(key) ?? new Decoding(await context(), options);
  const borrowed = {
    decoding,
    done: false,
    [Symbol.dispose]: () => (borrowed.done ? pool.give(key, decoding) : decoding[Symbol.dispose]()),
  };
  return borrowed;
}
