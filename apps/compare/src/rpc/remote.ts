// The page's end of a worker: calls become promises, an AbortSignal reaches the worker, and a worker that dies takes all its
// calls with it, with a reason.
import type { FromWorker, Scope, ToWorker } from './messages.ts';

export interface CallOptions<Report> {
  readonly signal?: AbortSignal | undefined;
  readonly onReport?: (report: Report) => void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  report(value: unknown): void;
}

/** An error that a worker sent. `name` is that of the original. */
export class RemoteError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export class Remote<Calls extends Scope<Calls>, News = never> implements Disposable {
  /** Resolves when the worker died by itself. */
  readonly lost: Promise<Error>;
  readonly #worker: Worker;
  readonly #onNews: (news: News) => void;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #ended: Error | undefined;
  #reportLoss: (error: Error) => void = () => {};

  constructor(worker: Worker, onNews: (news: News) => void) {
    this.#worker = worker;
    this.#onNews = onNews;
    this.lost = new Promise((resolve) => (this.#reportLoss = resolve));
    worker.onmessage = ({ data }) => this.#receive(data as FromWorker);
    worker.onerror = (event) => {
      // Reported here and shown in the page; the browser need not print it as uncaught.
      event.preventDefault();
      this.#lose(event.message || 'worker: its script could not be loaded');
    };
    worker.onmessageerror = () => this.#lose('worker: it sent something that cannot be read');
  }

  call<K extends keyof Calls & string>(
    name: K,
    argument: Calls[K]['takes'],
    { signal, onReport }: CallOptions<Calls[K]['reports']> = {},
  ): Promise<Calls[K]['gives']> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#send({ kind: 'abort', id });
        settle(() => reject(signal!.reason as Error));
      };
      const settle = (how: () => void): void => {
        this.#pending.delete(id);
        signal?.removeEventListener('abort', abort);
        how();
      };
      this.#pending.set(id, {
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error as Error)),
        report: (value) => onReport?.(value),
      });
      signal?.addEventListener('abort', abort);
      this.#send({ kind: 'call', id, name, argument });
    });
  }

  [Symbol.dispose](): void {
    this.#end(new RemoteError('AbortError', 'worker: it was ended'));
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'lost') return this.#lose(message.message);
    if (message.kind === 'news') return this.#onNews(message.value as News);
    const pending = this.#pending.get(message.id);
    switch (message.kind) {
      case 'report':
        return pending?.report(message.value);
      case 'result':
        return pending?.resolve(message.value);
      case 'error':
        return pending?.reject(new RemoteError(message.name, message.message));
      default:
        return message satisfies never;
    }
  }

  #lose(reason: string): void {
    if (this.#ended) return;
    const error = new RemoteError('WorkerLost', reason);
    this.#end(error);
    this.#reportLoss(error);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#worker.terminate();
    for (const { reject } of [...this.#pending.values()]) reject(error);
  }
}
