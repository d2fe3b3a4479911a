// The keys and values of earlier tokens: a buffer for each layer of a decoder, with room for so many positions.
import type { GenerativeModel, LoadedModel } from '@transept/models';
import { assign, bytesPer, elements, slice, trace } from '@transept/tensor';
import type { Buffer, Graph, Tensor } from '@transept/tensor';
import { bucket } from './batch.ts';
import { instantiate } from './instance.ts';
import { makingRoom } from './pool.ts';
import type { Reusable } from './pool.ts';

/** There is room for all positions at once where that is so many times what the next ones need, and so many bytes, at most. */
const roomyTimes = 4;
const roomyBytes = 32 * 2 ** 20;

export interface CacheOwner {
  readonly loaded: LoadedModel;
  readonly model: GenerativeModel;
  readonly rows: number;
}

export class Caches implements Reusable {
  /** Positions there is room for. */
  capacity = 0;
  readonly #owner: CacheOwner;
  #buffers: readonly Buffer[] = [];

  constructor(owner: CacheOwner) {
    this.#owner = owner;
  }

  get bytes(): number {
    return this.#buffers.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The buffers, by the names that graphs have for them. */
  get bind(): Record<string, Buffer> {
    return named('cache', this.#buffers);
  }

  /** The caches in a graph, one a layer. */
  states(g: Graph, capacity = this.capacity): Tensor[] {
    const { loaded } = this.#owner;
    return this.#layers((i) => g.state(`cache.${i}`, this.#shape(capacity), loaded.keyValueCache));
  }

  /**
   * The capacity to have when there is room for `positions` at least and never more than `most` come. Every growth makes the programs
   * anew: so it is for all of them where these are not many more.
   */
  capacityFor(positions: number, most: number): number {
    const soon = bucket(positions + 8);
    const all = bucket(most);
    const bytes = this.#owner.model.decoderLayers * this.#layerBytes(all);
    return all > soon && all <= roomyTimes * soon && bytes <= roomyBytes ? all : soon;
  }

  /** Make room for more, with all that is there. What this gives frees the buffers so far: programs may still use them. */
  async grow(capacity: number): Promise<Disposable> {
    const { loaded } = this.#owner;
    const former = new DisposableStack();
    const buffers = await makingRoom(loaded, () => this.#allocate(capacity));
    using undo = new DisposableStack();
    for (const buffer of buffers) undo.use(buffer);
    if (this.#buffers.length > 0) await this.#carryOver(buffers, capacity);
    undo.move();
    for (const buffer of this.#buffers) former.use(buffer);
    this.#buffers = buffers;
    this.capacity = capacity;
    return former;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers) buffer[Symbol.dispose]();
    this.#buffers = [];
  }

  #allocate(capacity: number): Buffer[] {
    const { backend } = this.#owner.loaded;
    using undo = new DisposableStack();
    const buffers = this.#layers(() => undo.use(backend.alloc(this.#layerBytes(capacity))));
    undo.move();
    return buffers;
  }

  async #carryOver(to: readonly Buffer[], capacity: number): Promise<void> {
    const { loaded } = this.#owner;
    const traced = trace('grow', (g) => {
      this.states(g, capacity).forEach((cache, i) => {
        const from = g.input(`old.${i}`, this.#shape(this.capacity), loaded.keyValueCache);
        assign(slice(cache, 1, 0, this.capacity), from);
      });
      return {};
    });
    const bind = { ...named('cache', to), ...named('old', this.#buffers) };
    using instance = await instantiate(loaded, traced, { bind });
    instance.program.run();
  }

  #layers<T>(make: (layer: number) => T): T[] {
    return Array.from({ length: this.#owner.model.decoderLayers }, (_, i) => make(i));
  }

  #layerBytes(capacity: number): number {
    return bytesPer[this.#owner.loaded.keyValueCache] * elements(this.#shape(capacity));
  }

  #shape(capacity: number): readonly number[] {
    const { model, rows } = this.#owner;
    return model.cacheShape(rows, capacity);
  }
}

const named = (name: string, buffers: readonly Buffer[]): Record<string, Buffer> =>
  Object.fromEntries(buffers.map((buffer, i) => [`${name}.${i}`, buffer]));
