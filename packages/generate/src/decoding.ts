// A batch being decoded, one token a row at a time: the caches, the programs that advance them, and nothing about how the next
// token is chosen. What differs between families with and without an encoder is behind `Context`.
import type { GenerativeModel, LoadedModel } from '@transept/models';
import { add, argmax, assign, exp, gather, log, max, reshape, sub, sum, trace } from '@transept/tensor';
import type { Buffer, Graph, Tensor } from '@transept/tensor';
import type { Batch, FeatureBatch } from './batch.ts';
import type { BeamLogits } from './beam.ts';
import { Caches } from './caches.ts';
import { instantiate } from './instance.ts';
import type { Instance, OnPrepare } from './instance.ts';
import type { Reusable } from './pool.ts';

/**
 * `logits`: the host gets the logits and chooses. `normed`: it also gets log Σ exp of each row, as beams need. `best`: the device
 * chooses the largest, and keeps it as the next input.
 */
export type Choice = 'logits' | 'normed' | 'best';

/** What the decoder reads besides its own tokens, for batches of one size. */
export interface Context extends Reusable {
  readonly loaded: LoadedModel;
  readonly model: GenerativeModel;
  readonly rows: number;
  /** Trace the decoder for `ids` [rows, T] that start at scalar `start`: logits of the last position [rows, V]. */
  logits(g: Graph, step: { ids: Tensor; caches: Tensor[]; capacity: number }): Tensor;
  /** Buffers for the names that `logits` asked for. */
  readonly bind: Readonly<Record<string, Buffer>>;
  /** Take another batch, of the size that the context was made for. */
  begin(batch: Batch | FeatureBatch): void;
  /** Write the inputs of a program that depend on the batch and on the capacity of the caches. */
  fill(instance: Instance, capacity: number): void;
}

export interface DecodingOptions {
  readonly choice: Choice;
  /** There will be ids that the device must not choose. */
  readonly bans: boolean;
}

export interface BeginOptions {
  /** Ids that the device does not choose when a sequence has `length` tokens. The same list while nothing changes. */
  readonly bannedAt: (length: number) => readonly number[];
  /** Positions before those that the caller counts: more padding than it gave. */
  readonly surplus: number;
  /** Positions that the sequences take at most, as the caller counts them. */
  readonly maxLength: number;
  readonly signal: AbortSignal | undefined;
  readonly onPrepare: OnPrepare | undefined;
}

/** Tokens go in, one a row; what comes next comes out. Used again for one batch after the other. */
export class Decoding implements Reusable {
  readonly rows: number;
  readonly vocabSize: number;
  /** Positions in the caches. */
  length = 0;
  readonly #context: Context;
  readonly #options: DecodingOptions;
  readonly #owned = new DisposableStack();
  readonly #tokens: Buffer;
  readonly #bans: Buffer | undefined;
  #signal: AbortSignal | undefined;
  #onPrepare: OnPrepare | undefined;
  readonly #caches: Caches;
  /** Programs for the present capacity. */
  #step: Instance | undefined;
  #prompt: Instance | undefined;
  #promptLength = 0;
  #reorder: Instance | undefined;
  /** The program that ran last. */
  #latest: Instance | undefined;
  #surplus = 0;
  #maxLength = 0;
  #bannedAt: BeginOptions['bannedAt'] = () => [];
  /** What the device leaves out now. */
  #banned: readonly number[] | undefined;
  /** What each row has decoded, for models that have to decode it anew. */
  #decoded: number[][] | undefined;

  /** Takes the context over; also when it throws. */
  constructor(context: Context, options: DecodingOptions) {
    const { model } = context;
    const { backend } = context.loaded;
    using undo = new DisposableStack();
    undo.use(context);
    this.rows = context.rows;
    this.vocabSize = model.vocabSize;
    this.#context = context;
    this.#options = options;
    this.#tokens = undo.use(backend.alloc(4 * this.rows));
    this.#bans = options.bans ? undo.use(backend.alloc(4 * this.vocabSize)) : undefined;
    this.#caches = undo.use(new Caches(context));
    this.#owned.use(undo.move());
  }

  /** Take a batch; nothing of the one before remains. */
  begin(batch: Batch | FeatureBatch, { bannedAt, surplus, maxLength, signal, onPrepare }: BeginOptions): void {
    this.length = 0;
    this.#bannedAt = bannedAt;
    this.#surplus = surplus;
    this.#maxLength = maxLength;
    this.#decoded = undefined;
    this.#signal = signal;
    this.#onPrepare = onPrepare;
    this.#context.begin(batch);
    for (const program of [this.#step, this.#prompt]) if (program) this.#context.fill(program, this.#caches.capacity);
  }

  /** Runs are only enqueued. */
  get queued(): boolean {
    return this.#context.loaded.backend.capabilities.queued ?? false;
  }

  /** Kernels started for each further token. */
  get dispatches(): number {
    return this.#step?.program.dispatches ?? 0;
  }

  get bytes(): number {
    const parts = [this.#context, this.#tokens, this.#bans, this.#caches, this.#step, this.#prompt, this.#reorder];
    return parts.reduce((sum, part) => sum + (part?.bytes ?? 0), 0);
  }

  /** Decode a prompt [rows, length]; the result is what follows its last token. */
  async prompt(ids: Int32Array, length: number): Promise<void> {
    if (length === 1) return this.step(ids);
    if (this.#anewAt !== undefined) this.#decoded = rowsOf(ids, length);
    await this.#decode(ids, length);
  }

  /** Decode one token a row: these, or with the choice `best` those that the device chose last. */
  async step(tokens?: Int32Array): Promise<void> {
    if (this.#anewAt !== undefined) {
      const next = tokens ?? (await this.best());
      this.#decoded ??= Array.from(next, () => []);
      this.#decoded.forEach((row, r) => row.push(next[r]!));
      if (this.length > 0 && this.length - this.#surplus === this.#anewAt) return this.#decodeAnew(this.#decoded);
    }
    await this.#reserve(this.length + 1);
    this.#step ??= await this.#build('step', 1);
    if (tokens) this.#context.loaded.backend.write(this.#tokens, tokens);
    this.#advance(this.#step, 1);
  }

  /**
   * Begin the next step before anything of this one is read, with these tokens or those that the device chose last. False where
   * the device would compute it here and now, or where something has to be made for it first.
   */
  goAhead(tokens?: Int32Array): boolean {
    if (!this.queued || !this.#step || this.length >= this.#caches.capacity || this.#anewAt !== undefined) return false;
    if (tokens) this.#context.loaded.backend.write(this.#tokens, tokens);
    this.#advance(this.#step, 1);
    return true;
  }

  /** Logits [rows, V] after the latest token. */
  logits(): Promise<Float32Array<ArrayBuffer>> {
    return this.#latest!.floats('logits');
  }

  /** Logits [rows, V] after the latest token, and log Σ exp of each row. */
  async normed(): Promise<BeamLogits> {
    const [logits, norms] = await Promise.all([this.logits(), this.#latest!.floats('norms')]);
    return { logits, norms };
  }

  /** The best token of each row after the latest one. */
  best(): Promise<Int32Array<ArrayBuffer>> {
    return this.#latest!.integers('tokens');
  }

  /** Row r goes on from what row `sources[r]` has decoded. */
  async reorder(sources: Int32Array): Promise<void> {
    if (sources.every((s, r) => s === r)) return;
    const decoded = this.#decoded;
    if (decoded) this.#decoded = Array.from(sources, (s) => [...decoded[s]!]);
    this.#reorder ??= await instantiate(this.#context.loaded, this.#traceReorder(), {
      bind: this.#caches.bind,
      signal: this.#signal,
      onPrepare: this.#onPrepare,
    });
    this.#reorder.write('sources', sources);
    this.#reorder.program.run();
  }

  [Symbol.dispose](): void {
    this.#dropPrograms();
    this.#owned.dispose();
  }

  get #anewAt(): number | undefined {
    const { model } = this.#context;
    return model.kind === 'decoder' ? model.decodeAnewAt : undefined;
  }

  async #decodeAnew(rows: readonly (readonly number[])[]): Promise<void> {
    this.length = 0;
    await this.#decode(Int32Array.from(rows.flat()), rows[0]!.length);
  }

  async #decode(ids: Int32Array, length: number): Promise<void> {
    await this.#reserve(length + 1);
    if (this.#promptLength !== length) this.#dropPrompt();
    this.#prompt ??= await this.#build('prompt', length);
    this.#promptLength = length;
    this.#prompt.write('prompt', ids);
    this.#advance(this.#prompt, length);
  }

  #dropPrompt(): void {
    this.#prompt?.[Symbol.dispose]();
    this.#prompt = undefined;
  }

  #dropPrograms(): void {
    for (const program of [this.#step, this.#prompt, this.#reorder]) program?.[Symbol.dispose]();
    this.#step = this.#prompt = this.#reorder = this.#latest = undefined;
  }

  #advance(instance: Instance, count: number): void {
    const start = this.length;
    this.length += count;
    this.#ban();
    instance.program.run([start]);
    this.#latest = instance;
  }

  /** Leave out what may not follow the tokens so far. A device that queues runs keeps what is written in turn with them. */
  #ban(): void {
    if (!this.#bans) return;
    const banned = this.#bannedAt(this.length - this.#surplus);
    if (banned === this.#banned) return;
    this.#banned = banned;
    const bans = new Float32Array(this.vocabSize);
    for (const id of banned) bans[id] = bannedBias;
    this.#context.loaded.backend.write(this.#bans, bans);
  }

  /** Make room for `positions`, with larger caches and a program for them where the present ones are full. */
  async #reserve(positions: number): Promise<void> {
    if (positions <= this.#caches.capacity) return;
    const capacity = this.#caches.capacityFor(positions, this.#maxLength + this.#surplus);
    using _ = await this.#caches.grow(capacity);
    this.#dropPrograms();
  }

  #build(kind: 'step' | 'prompt', length: number): Promise<Instance> {
    const { loaded, model } = this.#context;
    const { choice } = this.#options;
    const best = choice === 'best';
    const traced = trace(`${model.modelType} ${kind}`, (g) => {
      const tokens = best || kind === 'step' ? g.state('tokens', [this.rows, 1], 'i32') : undefined;
      const ids = kind === 'step' ? tokens! : g.input('prompt', [this.rows, length], 'i32');
      const caches = this.#caches.states(g);
      const logits = this.#context.logits(g, { ids, caches, capacity: this.#caches.capacity });
      if (choice === 'normed') return { logits, norms: g.scope('norms', () => logSumExp(logits)) };
      if (!best) return { logits };
      const allowed = this.#bans ? add(logits, g.input('bans', [this.vocabSize])) : logits;
      g.scope('choose', () => assign(tokens!, reshape(argmax(allowed), [this.rows, 1])));
      return {};
    });
    return instantiate(loaded, traced, {
      readback: { logits: ['logits'], normed: ['logits', 'norms'], best: ['tokens'] }[choice],
      bind: {
        ...this.#context.bind,
        ...this.#caches.bind,
        tokens: this.#tokens,
        ...(this.#bans && { bans: this.#bans }),
      },
      signal: this.#signal,
      onPrepare: this.#onPrepare,
    }).then((instance) => {
      using undo = new DisposableStack();
      undo.use(instance);
      this.#context.fill(instance, this.#caches.capacity);
      undo.move();
      return instance;
    });
  }

  #traceReorder() {
    return trace('reorder', (g) => {
      const sources = g.input('sources', [this.rows], 'i32');
      for (const cache of this.#caches.states(g)) assign(cache, gather(cache, sources));
      return {};
    });
  }
}

/** x [R, V] → [R, 1], with the largest value subtracted first. */
function logSumExp(x: Tensor): Tensor {
  const largest = max(x);
  return add(log(sum(exp(sub(x, largest)))), largest);
}

/** Added to the logits of a banned id: below every real one, and still finite. */
const bannedBias = -1e30;

const rowsOf = (ids: Int32Array, length: number): number[][] =>
  Array.from({ length: ids.length / length }, (_, r) => [...ids.subarray(r * length, (r + 1) * length)]);
