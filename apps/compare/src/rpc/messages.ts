// Calls to a worker and their answers. A call has an id; it may report several times before it gives its result or fails, and
// it can be aborted.

/** One call: its argument, what it reports on the way, its result. */
export interface CallShape {
  takes: unknown;
  reports: unknown;
  gives: unknown;
}

/** The calls that a worker knows, by name. */
export type Scope<Calls> = Record<keyof Calls, CallShape>;

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: 'abort'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'report'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly name: string; readonly message: string }
  /** Something happened that nobody called for. */
  | { readonly kind: 'news'; readonly value: unknown }
  /** The worker can do nothing any more. */
  | { readonly kind: 'lost'; readonly message: string };
