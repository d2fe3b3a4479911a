// A thread that does the work of a case by itself, over and over, while it is asked to.
import { Worker } from 'node:worker_threads';

/** Words of the shared memory: is it asked to work? */
export const askedWord = 0;

export interface TwinData {
  readonly asked: Int32Array;
}

export type TwinMessage = { readonly prepare: string } | { readonly work: true } | { readonly dispose: true };

export class Twin {
  readonly #asked = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor() {
    const data: TwinData = { asked: this.#asked };
    this.#worker = new Worker(new URL('./twin-worker.ts', import.meta.url), { workerData: data });
    this.#worker.unref();
  }

  /** Make it ready for a case, by name. */
  async prepare(name: string): Promise<{
    start(): Promise<void>;
    stop(): Promise<void>;
    dispose(): Promise<void>;
  }> {
    await this.#ask({ prepare: name });
    let ended: Promise<void> = Promise.resolve();
    return {
      start: async () => {
        Atomics.store(this.#asked, askedWord, 1);
        const begun = this.#answer('working');
        ended = begun.then(() => this.#answer('done'));
        this.#worker.postMessage({ work: true } satisfies TwinMessage);
        await begun;
      },
      stop: async () => {
        Atomics.store(this.#asked, askedWord, 0);
        await ended;
      },
      dispose: () => this.#ask({ dispose: true }),
    };
  }

  async #ask(message: TwinMessage): Promise<void> {
    const answered = this.#answer('done');
    this.#worker.postMessage(message);
    await answered;
  }

  #answer(wanted: 'working' | 'done'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', (said: string) => (said === wanted ? resolve() : reject(new Error(said))));
    });
  }
}
