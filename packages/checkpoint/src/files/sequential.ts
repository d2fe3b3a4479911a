// A large file of a server that ignores ranges: one body, read from its beginning. Reads that go forward pass over what lies between;
// one that goes back begins anew. Nothing is kept but the piece that came last.
import { CheckpointError } from '../errors.ts';
import { Turns } from '../shared.ts';
import { room, type ReadOptions } from './files.ts';

/** A body that nobody reads from is given up after so long; it would hold the connection. */
const IDLE_MS = 1_500;

interface Body {
  /** Resolves when the server has answered, which it need not do. */
  readonly reader: Promise<ReadableStreamDefaultReader<Uint8Array>>;
  readonly abort: AbortController;
}

export class Sequential {
  readonly #name: string;
  readonly #open: (signal: AbortSignal) => Promise<Response>;
  #body: Body | undefined;
  #piece: Uint8Array = new Uint8Array(0);
  /** Where the piece begins in the file. */
  #at = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  readonly #turns = new Turns();

  constructor(name: string, open: (signal: AbortSignal) => Promise<Response>) {
    this.#name = name;
    this.#open = open;
  }

  /** Bytes start … end-1. Calls take turns. */
  read(
    start: number,
    end: number,
    { signal, into }: Pick<ReadOptions, 'signal' | 'into'> = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#turns.take(async () => {
      clearTimeout(this.#idle);
      const stop = (): void => this.#close();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        return await this.#read(start, room(end - start, into), signal);
      } catch (error) {
        this.#close();
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', stop);
        if (this.#body) this.#idle = setTimeout(() => this.#close(), IDLE_MS);
      }
    }, signal);
  }

  /** Fills `out` with the bytes from `start` on. */
  async #read(
    start: number,
    out: Uint8Array<ArrayBuffer>,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    if (start < this.#at) this.#close();
    for (let done = 0; done < out.length;) {
      const at = start + done - this.#at;
      if (at < this.#piece.length) {
        const part = this.#piece.subarray(at, at + out.length - done);
        out.set(part, done);
        done += part.length;
        continue;
      }
      this.#at += this.#piece.length;
      this.#piece = new Uint8Array(0);
      const { reader } = (this.#body ??= this.#begin());
      const { done: ended, value } = await (await reader).read();
      if (ended)
        throw new CheckpointError(
          `http: ${this.#name} ended at byte ${this.#at} while bytes ${start} to ${start + out.length} were read`,
        );
      this.#piece = value;
    }
    return out;
  }

  #begin(): Body {
    const abort = new AbortController();
    const reader = this.#open(abort.signal).then(({ body }) => {
      if (!body) throw new CheckpointError(`http: ${this.#name} was answered without a body`);
      return body.getReader();
    });
    return { reader, abort };
  }

  #close(): void {
    clearTimeout(this.#idle);
    this.#body?.abort.abort();
    this.#body = undefined;
    this.#piece = new Uint8Array(0);
    this.#at = 0;
  }
}
