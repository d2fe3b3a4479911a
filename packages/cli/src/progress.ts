// How far something is, on one line of standard error: only for people, so only on a terminal, and only when it takes more
// than a second. Finishing wipes the line.
import type { Screen } from './terminal.ts';

const quietMs = 1000;
const redrawMs = 100;
const barColumns = 24;

export class Progress implements Disposable {
  readonly #screen: Screen;
  readonly #what: string;
  readonly #began = performance.now();
  #drawn = 0;

  constructor(screen: Screen, what: string) {
    this.#screen = screen;
    this.#what = what;
  }

  /** `detail` comes after the bar, e.g. what is being counted. Without a total there is no bar. */
  update(
    done: number,
    total: number | undefined,
    detail = `${done}${total === undefined ? '' : ` of ${total}`}`,
  ): void {
    const now = performance.now();
    if (!this.#screen.isTTY || now - this.#began < quietMs || now - this.#drawn < redrawMs) return;
    this.#drawn = now;
    const bar = total ? `${drawBar(done / total)} ` : '';
    const line = `${this.#what} ${bar}${detail}`.slice(0, (this.#screen.columns ?? 80) - 1);
    this.#screen.write(`\r\x1b[2K${line}`);
  }

  [Symbol.dispose](): void {
    if (this.#drawn > 0) this.#screen.write('\r\x1b[2K');
    this.#drawn = 0;
  }
}

function drawBar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barColumns);
  return '█'.repeat(full) + '░'.repeat(barColumns - full);
}

/** Bytes for people. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
