// One backend: its worker, whether it is there, and what it made of each sentence.
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { BackendName, Calls, Device, Download, ModelSource, News, OpenedModel, Translation } from '../protocol.ts';
import { Remote } from '../rpc/remote.ts';
import { figuresOf } from './figures.ts';
import { lossesAfter, noLosses } from './losses.ts';

export type Status =
  | { readonly kind: 'off' }
  | { readonly kind: 'loading'; readonly download: Download }
  | { readonly kind: 'ready'; readonly model: OpenedModel }
  /** The device cannot be had here. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** It could have been, but something went wrong. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' };

export type Cell =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'writing'; readonly text: string }
  | { readonly kind: 'done'; readonly translation: Translation }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled'; readonly text: string };

export interface ColumnOptions {
  /** The one that is loaded at the next start. */
  readonly model: ReadonlySignal<ModelSource>;
  readonly threads: number | undefined;
}

export class Column {
  readonly name: BackendName;
  readonly status = signal<Status>({ kind: 'off' });
  /** Of the device, since the latest start. */
  readonly losses = signal(noLosses);
  /** One for each sentence of the latest run. */
  readonly cells = signal<readonly Signal<Cell>[]>([]);
  readonly ready = computed(() => this.status.value.kind === 'ready');
  /** Finished translations of the latest run by sentence, in the order in which they were made. */
  readonly translations = computed(() => {
    const done = new Map<number, Translation>();
    this.cells.value.forEach((cell, i) => cell.value.kind === 'done' && done.set(i, cell.value.translation));
    return done;
  });
  readonly figures = computed(() => figuresOf([...this.translations.value.values()]));
  readonly #options: ColumnOptions;
  #remote: Remote<Calls, News> | undefined;

  constructor(name: BackendName, options: ColumnOptions) {
    this.name = name;
    this.#options = options;
  }

  /** Start the worker and load the model. Resolves when the column is ready or it is clear why not. */
  async start(): Promise<void> {
    this.stop();
    this.status.value = { kind: 'loading', download: { bytes: 0, totalBytes: 0 } };
    this.losses.value = noLosses;
    const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module', name: this.name });
    const remote = new Remote<Calls, News>(worker, (news) => this.#remote === remote && this.#hear(news));
    this.#remote = remote;
    const own = (status: Status): void => {
      // A later start or stop has the last word.
      if (this.#remote === remote) this.status.value = status;
    };
    void remote.lost.then(({ message: reason }) => own({ kind: 'failed', reason }));
    const { model, threads } = this.#options;
    const request = { backend: this.name, model: model.value, ...(threads !== undefined && { threads }) };
    try {
      const opened = await remote.call('open', request, { onReport: (download) => own({ kind: 'loading', download }) });
      own(opened.ok ? { kind: 'ready', model: opened.model } : { kind: 'unavailable', reason: opened.reason });
    } catch (error) {
      own({ kind: 'failed', reason: (error as Error).message });
    }
    if (!this.ready.value) remote[Symbol.dispose]();
  }

  /** End the worker, and with it whatever it is doing. */
  stop(status: Status = { kind: 'off' }): void {
    const remote = this.#remote;
    this.#remote = undefined;
    this.status.value = status;
    remote?.[Symbol.dispose]();
  }

  /** Forget the latest run and make room for another. */
  reset(sentences: number): void {
    this.cells.value = Array.from({ length: sentences }, () => signal<Cell>({ kind: 'waiting' }));
  }

  /** Translate one sentence into its cell, if the backend is still there. Rejects only when aborted. */
  async translate(index: number, text: string, abort: AbortSignal): Promise<void> {
    const cell = this.cells.value[index]!;
    if (!this.ready.value) return void (cell.value = { kind: 'cancelled', text: '' });
    let soFar = '';
    cell.value = { kind: 'writing', text: soFar };
    try {
      const translation = await this.remote.call(
        'translate',
        { text },
        {
          signal: abort,
          onReport: (piece) => {
            soFar += piece.text;
            cell.value = { kind: 'writing', text: soFar };
          },
        },
      );
      cell.value = { kind: 'done', translation };
      this.#renew({ memory: translation.memory });
    } catch (error) {
      cell.value = abort.aborted
        ? { kind: 'cancelled', text: soFar }
        : { kind: 'failed', reason: (error as Error).message };
      abort.throwIfAborted();
    }
  }

  /** Mark what has not begun as cancelled. */
  cancelWaiting(): void {
    for (const cell of this.cells.value)
      if (cell.value.kind === 'waiting') cell.value = { kind: 'cancelled', text: '' };
  }

  /** The worker's calls. Throws while the column is not ready. */
  get remote(): Remote<Calls> {
    if (!this.#remote || !this.ready.value) throw new Error(`${this.name}: the backend is not running; start it again`);
    return this.#remote;
  }

  #hear(news: News): void {
    this.losses.value = lossesAfter(this.losses.value, news);
    if (news.kind === 'replaced') this.#renew(news.device);
  }

  /** What is known of the device has changed. */
  #renew(device: Partial<Device>): void {
    const status = this.status.value;
    if (status.kind === 'ready') this.status.value = { kind: 'ready', model: { ...status.model, ...device } };
  }
}
