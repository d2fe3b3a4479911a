// One file on its way into the cache: its bytes come in order, go to the cache, and can be read there as soon as they are. Nothing
// runs unless somebody waits for bytes; a transfer that nobody reads from is ended after a while, and goes on where it stopped.
import { CheckpointError, quoted } from '../errors.ts';
import type { ReadOptions } from '../files/files.ts';
import { Turns } from '../shared.ts';
import type { CachedBlob, HubCache, PartialBlob } from './cache.ts';
import { sha256, type Hash } from './sha256.ts';

/** What the hub says about a file. */
export interface RemoteFile {
  readonly url: string;
  /** Undefined where the hub does not say. */
  readonly size: number | undefined;
  /** Name of its contents: their SHA-256 or git's hash where the hub gives one. */
  readonly id: string;
  readonly sha256: string | undefined;
}

export interface DownloadOptions {
  readonly cache: HubCache;
  readonly repo: string;
  readonly request: (url: string, init: RequestInit) => Promise<Response>;
  /** How often in a row a transfer may bring nothing. */
  readonly attempts: number;
  /** Wait before the second attempt; doubles. */
  readonly retryMs: number;
  /** A transfer without bytes for so long is broken. */
  readonly stallMs: number;
}

/** A transfer that nobody reads from is ended after so long. */
const IDLE_MS = 1_500;
const READ_BACK_BYTES = 8 << 20;

interface Transfer {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly abort: AbortController;
  /** Bytes that are to be passed over, because the server began at the beginning. */
  skip: number;
}

export class Download {
  readonly #file: RemoteFile;
  readonly #options: DownloadOptions;
  #partial: PartialBlob | undefined;
  #hash: Hash | undefined;
  #transfer: Transfer | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #finished: CachedBlob | undefined;
  #begun = false;
  readonly #turns = new Turns();

  constructor(file: RemoteFile, options: DownloadOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Has anything been read of it? */
  get begun(): boolean {
    return this.#begun;
  }

  /** The whole file, checked. */
  async whole(signal?: AbortSignal): Promise<CachedBlob> {
    await this.#inTurn(async () => {
      if (!this.#finished) await this.#pull(Infinity, signal);
    }, signal);
    return this.#finished!;
  }

  /** Bytes start … end-1, as soon as they have come. */
  read(
    start: number,
    end: number,
    { signal, into }: Pick<ReadOptions, 'signal' | 'into'> = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#inTurn(async () => {
      if (!this.#finished) await this.#pull(end, signal);
      return (this.#finished ?? this.#partial!).read(start, end, into);
    }, signal);
  }

  #inTurn<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#begun = true;
    return this.#turns.take(async () => {
      clearTimeout(this.#idle);
      try {
        return await task();
      } finally {
        if (this.#partial) this.#idle = setTimeout(() => void this.#inTurn(() => this.#suspend()), IDLE_MS);
      }
    }, signal);
  }

  /** End the transfer and let others write; the bytes stay. */
  async #suspend(): Promise<void> {
    clearTimeout(this.#idle);
    this.#end();
    const partial = this.#partial;
    this.#partial = undefined;
    await partial?.close();
  }

  #end(): void {
    this.#transfer?.abort.abort();
    this.#transfer = undefined;
  }

  /** Fetch until there are so many bytes, or all. */
  async #pull(until: number, signal?: AbortSignal): Promise<void> {
    const { size } = this.#file;
    try {
      const partial = (this.#partial ??= await this.#open(signal));
      let failures = 0;
      while (!this.#finished && partial.size < until) {
        signal?.throwIfAborted();
        if (size !== undefined && partial.size === size) {
          await this.#finish(partial);
          break;
        }
        try {
          const before = partial.size;
          const ended = await this.#step(partial, signal);
          if (partial.size > before) failures = 0;
          if (!ended) continue;
          this.#end();
          if (size === undefined) await this.#finish(partial);
          else if (partial.size < size) throw new Broken(`it ended at byte ${partial.size} of ${size}`);
        } catch (error) {
          this.#end();
          signal?.throwIfAborted();
          if (!(error instanceof Broken)) throw error;
          if (++failures >= this.#options.attempts)
            throw new CheckpointError(
              `hub: the transfer of ${this.#file.url} broke off ${failures} times: ${error.message}; ` +
                `${partial.size} bytes are kept, loading again goes on from there`,
              { cause: error },
            );
          await pause(this.#options.retryMs * 2 ** (failures - 1), signal);
        }
      }
      if (!this.#finished && size !== undefined && partial.size === size) await this.#finish(partial);
    } catch (error) {
      await this.#suspend();
      throw error;
    }
  }

  /** The partial file, and the hash of what it holds. */
  async #open(signal?: AbortSignal): Promise<PartialBlob> {
    const { cache, repo } = this.#options;
    const partial = await cache.open(repo, this.#file.id, signal);
    const { size } = this.#file;
    if (size !== undefined && partial.size > size) await partial.clear();
    // Without a size nobody could say whether what is there is all.
    if (size === undefined && partial.size > 0) await partial.clear();
    this.#hash = this.#file.sha256 === undefined ? undefined : sha256();
    for (let at = 0; this.#hash && at < partial.size; at += READ_BACK_BYTES)
      this.#hash.update(await partial.read(at, Math.min(partial.size, at + READ_BACK_BYTES)));
    return partial;
  }

  /** Take what comes next. Is it the end? */
  async #step(partial: PartialBlob, signal?: AbortSignal): Promise<boolean> {
    const transfer = (this.#transfer ??= await this.#begin(partial.size, signal));
    const { done, value } = await this.#orStall(transfer.reader.read(), transfer, signal);
    if (done) return true;
    const bytes = value.subarray(Math.min(transfer.skip, value.length));
    transfer.skip -= value.length - bytes.length;
    const { size, url } = this.#file;
    if (size !== undefined && partial.size + bytes.length > size) {
      await partial.clear();
      throw new CheckpointError(
        `hub: ${url} gave more than the ${size} bytes that were announced; what had come was deleted`,
      );
    }
    if (bytes.length === 0) return false;
    await partial.append(bytes);
    this.#hash?.update(bytes);
    return false;
  }

  async #begin(from: number, signal?: AbortSignal): Promise<Transfer> {
    const { request } = this.#options;
    const { url, size } = this.#file;
    const abort = new AbortController();
    const init: RequestInit = { signal: abort.signal, ...(from > 0 && { headers: { range: `bytes=${from}-` } }) };
    const asked = request(url, init).catch((cause) => {
      throw cause instanceof CheckpointError ? new Broken(cause.message, { cause }) : cause;
    });
    const response = await this.#orStall(asked, { abort }, signal);
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      const message = `${url} was answered with status ${response.status} ${response.statusText}`;
      // Servers that are busy or restarting are worth another attempt.
      if (response.status >= 500 || response.status === 429) throw new Broken(message);
      throw new CheckpointError(`hub: ${message}; expected 200 or 206`);
    }
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
    const starts = response.status === 206 ? Number(range?.[1] ?? from) : 0;
    const total = range && range[2] !== '*' ? Number(range[2]) : undefined;
    if (starts > from || (total !== undefined && size !== undefined && total !== size)) {
      await response.body?.cancel();
      throw new CheckpointError(
        `hub: ${url} was answered with ${quoted(response.headers.get('content-range') ?? 'no range')}; expected bytes ${from} to ${size}`,
      );
    }
    if (!response.body) throw new Broken(`${url} was answered without a body`);
    return { reader: response.body.getReader(), abort, skip: from - starts };
  }

  /** What is waited for, or an error when it does not come in time. Ends the transfer when the caller gives up meanwhile. */
  async #orStall<T>(
    promise: Promise<T>,
    { abort }: { readonly abort: AbortController },
    signal?: AbortSignal,
  ): Promise<T> {
    const { stallMs } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Broken(`nothing came for ${stallMs / 1000} s`)), stallMs);
    });
    const stop = (): void => abort.abort(signal!.reason);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([promise, stalled]);
    } catch (cause) {
      abort.abort();
      signal?.throwIfAborted();
      if (cause instanceof Broken || cause instanceof CheckpointError) throw cause;
      throw new Broken(reason(cause), { cause });
    } finally {
      signal?.removeEventListener('abort', stop);
      clearTimeout(timer);
      promise.catch(() => {});
    }
  }

  async #finish(partial: PartialBlob): Promise<void> {
    this.#end();
    const { url, sha256: expected } = this.#file;
    const found = this.#hash?.digest();
    if (expected !== undefined && found !== expected) {
      await partial.clear();
      throw new CheckpointError(
        `hub: ${url} is not what the hub says: its SHA-256 is ${found}; expected ${expected}. What had come was deleted`,
      );
    }
    await partial.finish();
    this.#partial = undefined;
    this.#finished = { size: partial.size, read: (start, end, into) => partial.read(start, end, into) };
  }
}

/** A transfer failed in a way that another attempt may mend. */
class Broken extends Error {}

function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
