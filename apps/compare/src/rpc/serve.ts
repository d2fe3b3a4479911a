// The worker's end: one call after the other, in the order they came, so that none disturbs the timing of another.
import type { FromWorker, Scope, ToWorker } from './messages.ts';

/** What a call has besides its argument. */
export interface CallContext<Report> {
  readonly signal: AbortSignal;
  /** Nobody hears it when the call is over. */
  report(value: Report): void;
  /** Hand memory over to the page instead of copying it. */
  give(buffer: ArrayBuffer): void;
}

export type Handlers<Calls extends Scope<Calls>> = {
  readonly [K in keyof Calls]: (
    argument: Calls[K]['takes'],
    context: CallContext<Calls[K]['reports']>,
  ) => Promise<Calls[K]['gives']>;
};

/** The part of a worker's global scope that this needs. */
export interface Port {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: FromWorker, transfer?: ArrayBuffer[]): void;
}

export function serve<Calls extends Scope<Calls>>(port: Port, handlers: Handlers<Calls>): void {
  const controllers = new Map<number, AbortController>();
  let last: Promise<void> = Promise.resolve();

  const answer = async (id: number, name: string, argument: unknown, signal: AbortSignal): Promise<void> => {
    const given: ArrayBuffer[] = [];
    try {
      signal.throwIfAborted();
      const handler = handlers[name as keyof Calls] as Handlers<Calls>[keyof Calls] | undefined;
      if (!handler) throw new Error(`worker: there is no call "${name}"; it knows ${Object.keys(handlers).join(', ')}`);
      const value = await handler(argument, {
        signal,
        report: (report) => controllers.has(id) && port.postMessage({ kind: 'report', id, value: report }),
        give: (buffer) => given.push(buffer),
      });
      port.postMessage({ kind: 'result', id, value }, given);
    } catch (error) {
      const { name: kind, message } = error instanceof Error ? error : new Error(String(error));
      port.postMessage({ kind: 'error', id, name: kind, message });
    } finally {
      controllers.delete(id);
    }
  };

  port.onmessage = ({ data }) => {
    const message = data as ToWorker;
    if (message.kind === 'abort') return controllers.get(message.id)?.abort();
    const controller = new AbortController();
    controllers.set(message.id, controller);
    last = last.then(() => answer(message.id, message.name, message.argument, controller.signal));
  };
}
