// Work that several callers wait for, done once. Each of them may give up by itself; the work is given up when all have.

interface Run<T> {
  readonly abort: AbortController;
  readonly result: Promise<T>;
  waiting: number;
  done: boolean;
}

export class Shared<T> {
  readonly #make: (signal: AbortSignal) => Promise<T>;
  #run: Run<T> | undefined;
  #value: T | undefined;

  /** `make` is called when the result is first asked for, and again when it failed or all had given it up. */
  constructor(make: (signal: AbortSignal) => Promise<T>) {
    this.#make = make;
  }

  /** The result, once it is there. */
  get value(): T | undefined {
    return this.#value;
  }

  async get(signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const run = (this.#run ??= this.#begin());
    run.waiting++;
    try {
      return await orAbort(run.result, signal);
    } finally {
      run.waiting--;
      if (run.waiting === 0 && !run.done) {
        this.#forget(run);
        run.abort.abort(signal?.reason);
      }
    }
  }

  #begin(): Run<T> {
    const abort = new AbortController();
    const run: Run<T> = { abort, result: this.#make(abort.signal), waiting: 0, done: false };
    run.result.then(
      (value) => {
        run.done = true;
        if (this.#run === run) this.#value = value;
      },
      () => {
        run.done = true;
        this.#forget(run);
      },
    );
    return run;
  }

  #forget(run: Run<T>): void {
    if (this.#run === run) this.#run = undefined;
  }
}

/** One task after the other. Who gives up while others are at work does not wait for them. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let waiting = true;
    const run = this.#last.then(() => {
      waiting = false;
      signal?.throwIfAborted();
      return task();
    });
    this.#last = run.catch(() => {});
    return orAbort(run, signal, () => waiting);
  }
}

/** What is waited for, or the reason of the signal; if that comes when `may` is false, it is waited for all the same. */
function orAbort<T>(promise: Promise<T>, signal?: AbortSignal, may: () => boolean = () => true): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      if (may()) reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
