// What a page asks of a runtime, and what it tells the benchmark of a run.
import type { Task } from '../../cpu/models.ts';

/** Times of one run, in milliseconds. */
export interface Times {
  /** From the call to the first token, or to the outputs of an encoder in JavaScript. */
  readonly first: number;
  /** From the first token to the last; 0 for an encoder. */
  readonly rest: number;
}

export interface PageTask extends Disposable {
  run(tokens: number): Promise<Times>;
}

export interface PageRuntime {
  readonly name: string;
  /** The model of a task on the device. Undefined where the runtime does not have it. */
  prepare(task: Task): Promise<PageTask | undefined>;
}

/** Times of a generation, by when its tokens came. */
export class TokenTimes {
  readonly #began = performance.now();
  #first = 0;
  #last = 0;

  token(): void {
    this.#last = performance.now();
    this.#first ||= this.#last;
  }

  get times(): Times {
    return { first: this.#first - this.#began, rest: this.#last - this.#first };
  }
}
