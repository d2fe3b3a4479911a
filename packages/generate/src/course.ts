// A decoding in the hands of a search. Where the device only queues what it is given, the next step is under way before the token of
// this one is read; and where a device is lost, the tokens so far go through the model again on another one.
import type { LoadedModel } from '@transept/models';
import { DeviceLostError } from '@transept/tensor';
import type { BeamLogits } from './beam.ts';
import type { Decoding } from './decoding.ts';
import type { Borrowed } from './pool.ts';

/** Gives a model in place of one whose device was lost: the same weights, on a device that is there. */
export type OnDeviceLost = (error: DeviceLostError) => Promise<LoadedModel>;

/** Do something with a model, and once more with the one that takes its place where its device is lost. */
export async function surviving<T>(
  loaded: LoadedModel,
  onDeviceLost: OnDeviceLost | undefined,
  work: (loaded: LoadedModel) => Promise<T>,
): Promise<T> {
  try {
    return await work(loaded);
  } catch (error) {
    if (!onDeviceLost || !(error instanceof DeviceLostError)) throw error;
    return work(await onDeviceLost(error));
  }
}

/** What a decoding was given, in order. */
type Entry = { readonly tokens: Int32Array } | { readonly sources: Int32Array };

export interface CourseOptions {
  /** A decoding of the batch on a model's device. */
  readonly open: (loaded: LoadedModel) => Promise<Borrowed<Decoding>>;
  readonly onDeviceLost: OnDeviceLost | undefined;
}

export class Course implements Disposable {
  readonly #options: CourseOptions;
  readonly #given: Entry[] = [];
  #prompt: { readonly ids: Int32Array; readonly length: number } | undefined;
  #borrowed: Borrowed<Decoding>;
  /** What the latest step chose. */
  #best: Int32Array<ArrayBuffer> | undefined;
  /** What the step that went ahead will have chosen. */
  #ahead: Promise<Int32Array<ArrayBuffer>> | undefined;
  /** Entries there were when a device was lost. */
  #lostAt = -1;

  private constructor(borrowed: Borrowed<Decoding>, options: CourseOptions) {
    this.#borrowed = borrowed;
    this.#options = options;
  }

  static async open(loaded: LoadedModel, options: CourseOptions): Promise<Course> {
    return new Course(await surviving(loaded, options.onDeviceLost, options.open), options);
  }

  /** Kernels started for each further token. */
  get dispatches(): number {
    return this.#borrowed.it.dispatches;
  }

  /** The device computes by itself, not on the thread of the host, which then need not give it up now and then. */
  get queued(): boolean {
    return this.#borrowed.it.queued;
  }

  /** Decode a prompt [rows, length]. */
  async prompt(ids: Int32Array, length: number): Promise<void> {
    this.#prompt = { ids, length };
    await this.#last(() => this.#borrowed.it.prompt(ids, length), true);
  }

  /** Logits [rows, V] after the latest token. */
  logits(): Promise<Float32Array<ArrayBuffer>> {
    return this.#last(() => this.#borrowed.it.logits());
  }

  /** The same with log Σ exp of each row. */
  normed(): Promise<BeamLogits> {
    return this.#last(() => this.#borrowed.it.normed());
  }

  /**
   * The best token of each row after the latest one. `next` says what the step after this one takes: tokens, or `'best'` for those
   * that are chosen here; it begins at once where that needs nothing made. Undefined: there is no further step.
   */
  async best(next: Int32Array | 'best' | undefined): Promise<Int32Array<ArrayBuffer>> {
    return (this.#best = await this.#last(() => this.#readBest(next)));
  }

  /** Decode one token a row: these, or those that `best` gave. */
  async step(tokens?: Int32Array): Promise<void> {
    if (this.#options.onDeviceLost) this.#given.push({ tokens: (tokens ?? this.#best!).slice() });
    if (this.#ahead) return;
    await this.#last(() => this.#borrowed.it.step(tokens), true);
  }

  /** Row r goes on from what row `sources[r]` has decoded. */
  async reorder(sources: Int32Array): Promise<void> {
    if (this.#options.onDeviceLost) this.#given.push({ sources: sources.slice() });
    await this.#last(() => this.#borrowed.it.reorder(sources), true);
  }

  /** It ended as it should: what it used may serve again. */
  done(): void {
    this.#borrowed.done = true;
  }

  [Symbol.dispose](): void {
    this.#borrowed[Symbol.dispose]();
  }

  #readBest(next: Int32Array | 'best' | undefined): Promise<Int32Array<ArrayBuffer>> {
    const decoding = this.#borrowed.it;
    const reading = this.#ahead ?? decoding.best();
    this.#ahead = undefined;
    if (next === undefined || !decoding.goAhead(next === 'best' ? undefined : next)) return reading;
    this.#ahead = decoding.best();
    // A search may end before it reads this.
    this.#ahead.catch(() => {});
    return reading;
  }

  /** Something that goes on where a device is lost. What was `given` before is done again with all the rest. */
  async #last<T>(act: () => Promise<T>, given?: true): Promise<T>;
  async #last(act: () => Promise<void>, given = false): Promise<void> {
    for (;;)
      try {
        return await act();
      } catch (error) {
        await this.#renew(error);
        if (given) return;
      }
  }

  async #renew(error: unknown): Promise<void> {
    const { open, onDeviceLost } = this.#options;
    // A device that is lost before anything was gained has no better successor.
    if (!onDeviceLost || !(error instanceof DeviceLostError) || this.#lostAt === this.#given.length) throw error;
    this.#lostAt = this.#given.length;
    this.#ahead = undefined;
    this.#borrowed[Symbol.dispose]();
    this.#borrowed = await open(await onDeviceLost(error));
    const decoding = this.#borrowed.it;
    // One by one as before, so that rounding is as it was.
    await decoding.prompt(this.#prompt!.ids, this.#prompt!.length);
    for (const entry of this.#given)
      if ('tokens' in entry) await decoding.step(entry.tokens);
      else await decoding.reorder(entry.sources);
  }
}
