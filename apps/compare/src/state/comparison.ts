// The whole page's state and what can be done with it: load backends, translate on all of them, compare, look at attention.
import { batch, computed, signal } from '@preact/signals';
import { backendNames } from '../protocol.ts';
import type { Attention, BackendName, ModelSource, Translation } from '../protocol.ts';
import { compareAll } from './agreement.ts';
import type { PairAgreement } from './agreement.ts';
import { Column } from './column.ts';
import { linesOf, shippedSentences } from './sentences.ts';
import type { Settings } from './settings.ts';

export type Phase = 'idle' | 'translating' | 'comparing';

export type AgreementState =
  | { readonly kind: 'none' }
  | { readonly kind: 'comparing'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly pairs: readonly PairAgreement[]; readonly texts: TextAgreement }
  /** There is nothing to compare with, or it went wrong. */
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** How many sentences all backends translated to the same tokens. */
export interface TextAgreement {
  readonly same: number;
  readonly total: number;
}

export type AttentionState =
  | { readonly kind: 'none' }
  | { readonly kind: 'computing' }
  | { readonly kind: 'done'; readonly maps: readonly AttentionMap[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** The attention of one backend over its own translation of the chosen sentence. */
export interface AttentionMap {
  readonly name: BackendName;
  readonly translation: Translation;
  readonly attention: Attention;
}

export class Comparison {
  readonly model = signal<ModelSource>('');
  readonly columns: readonly Column[];
  /** Those that are switched on. */
  readonly shown = computed(() => this.columns.filter(({ status }) => status.value.kind !== 'off'));
  readonly text = signal('');
  /** The sentences of the latest run. */
  readonly sentences = signal<readonly string[]>([]);
  readonly turns = signal(false);
  readonly phase = signal<Phase>('idle');
  readonly chosen = signal(0);
  readonly agreement = signal<AgreementState>({ kind: 'none' });
  readonly attention = signal<AttentionState>({ kind: 'none' });
  readonly loading = computed(() => this.columns.some(({ status }) => status.value.kind === 'loading'));
  readonly canTranslate = computed(
    () =>
      this.phase.value === 'idle' &&
      linesOf(this.text.value).length > 0 &&
      this.columns.some(({ ready }) => ready.value),
  );
  #run: AbortController | undefined;
  #look: AbortController | undefined;

  constructor(settings: Settings) {
    const { model, threads } = settings;
    this.model.value = model;
    this.columns = backendNames.map((name) => new Column(name, { model: this.model, threads }));
    this.text.value = settings.text ?? shippedSentences.join('\n');
    this.turns.value = settings.turns;
  }

  /** Load the given backends, and translate once when all of them are there. */
  async begin(backends: readonly BackendName[]): Promise<void> {
    await Promise.all(this.columns.filter(({ name }) => backends.includes(name)).map((column) => column.start()));
    if (this.canTranslate.value) await this.translate();
  }

  /** Load another model on the backends that are switched on. */
  async open(model: ModelSource): Promise<void> {
    this.cancel();
    this.#look?.abort();
    batch(() => {
      this.model.value = model;
      this.sentences.value = [];
      this.agreement.value = { kind: 'none' };
      this.attention.value = { kind: 'none' };
      for (const column of this.columns) column.reset(0);
    });
    await this.begin(this.shown.value.map(({ name }) => name));
  }

  /** Translate every line of the text on every backend that is ready, then compare them. */
  async translate(): Promise<void> {
    const texts = linesOf(this.text.value);
    const columns = this.columns.filter(({ ready }) => ready.value);
    const run = (this.#run = new AbortController());
    this.#look?.abort();
    batch(() => {
      this.phase.value = 'translating';
      this.sentences.value = texts;
      this.chosen.value = Math.min(this.chosen.value, texts.length - 1);
      this.agreement.value = { kind: 'none' };
      this.attention.value = { kind: 'none' };
      for (const column of this.columns) column.reset(columns.includes(column) ? texts.length : 0);
    });
    try {
      await this.#translateAll(columns, texts, run.signal);
      this.phase.value = 'comparing';
      await this.#compare(columns, run.signal);
    } catch (error) {
      if (!run.signal.aborted) throw error;
      for (const column of columns) column.cancelWaiting();
    } finally {
      this.phase.value = 'idle';
    }
    await this.look();
  }

  /** Stop what is running, loading included. */
  cancel(): void {
    this.#run?.abort();
    for (const column of this.columns) if (column.status.value.kind === 'loading') column.stop({ kind: 'cancelled' });
  }

  /** Show the attention of another sentence. */
  async choose(index: number): Promise<void> {
    this.chosen.value = index;
    if (this.phase.value === 'idle') await this.look();
  }

  /** Compute the attention of the chosen sentence on every backend that has translated it. */
  async look(): Promise<void> {
    this.#look?.abort();
    const { signal: abort } = (this.#look = new AbortController());
    const able = this.columns.flatMap((column) => {
      const translation = column.translations.value.get(this.chosen.value);
      return translation && column.ready.value ? [{ column, translation }] : [];
    });
    this.attention.value = able.length > 0 ? { kind: 'computing' } : { kind: 'none' };
    try {
      const maps = await Promise.all(
        able.map(async ({ column: { name, remote }, translation }) => ({
          name,
          translation,
          attention: await remote.call('attend', { pair: translation }, { signal: abort }),
        })),
      );
      if (maps.length > 0) this.attention.value = { kind: 'done', maps };
    } catch (error) {
      if (!abort.aborted) this.attention.value = { kind: 'failed', reason: (error as Error).message };
    }
  }

  async #translateAll(columns: readonly Column[], texts: readonly string[], abort: AbortSignal): Promise<void> {
    const one = (column: Column, i: number): Promise<void> => column.translate(i, texts[i]!, abort);
    if (this.turns.value) {
      for (const i of texts.keys()) for (const column of columns) await one(column, i);
      return;
    }
    const all = async (column: Column): Promise<void> => {
      for (const i of texts.keys()) await one(column, i);
    };
    await Promise.all(columns.map(all));
  }

  async #compare(columns: readonly Column[], abort: AbortSignal): Promise<void> {
    const able = columns.filter(({ ready, translations }) => ready.value && translations.value.size > 0);
    const [first] = able;
    if (!first || able.length < 2) {
      const reason = first
        ? `Only ${first.name} has translated, so there is nothing to compare it with.`
        : 'No backend has translated anything.';
      this.agreement.value = { kind: 'missing', reason };
      return;
    }
    try {
      const pairs = await compareAll(able, [...first.translations.value.values()], {
        signal: abort,
        onProgress: (done, total) => (this.agreement.value = { kind: 'comparing', done, total }),
      });
      this.agreement.value = { kind: 'done', pairs, texts: sameTexts(able, this.sentences.value.length) };
    } catch (error) {
      this.agreement.value = abort.aborted ? { kind: 'none' } : { kind: 'failed', reason: (error as Error).message };
      abort.throwIfAborted();
    }
  }
}

function sameTexts(columns: readonly Column[], total: number): TextAgreement {
  const ids = (column: Column, i: number): string => column.translations.value.get(i)?.targetIds.join() ?? column.name;
  const same = Array.from({ length: total }, (_, i) => new Set(columns.map((column) => ids(column, i))));
  return { same: same.filter(({ size }) => size === 1).length, total };
}
