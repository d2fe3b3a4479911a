// The best k of many scores in one pass: a heap of the best so far, the worst of them on top. Higher scores first, and of
// equal ones the lower index. Allocates nothing after construction.

export class BestK {
  readonly #capacity: number;
  readonly #scores: Float64Array;
  readonly #indices: Float64Array;
  #size = 0;

  /** Indices may go beyond 2^31, so beams times a large vocabulary fit. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#scores = new Float64Array(capacity);
    this.#indices = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  score(rank: number): number {
    return this.#scores[rank]!;
  }

  index(rank: number): number {
    return this.#indices[rank]!;
  }

  clear(): void {
    this.#size = 0;
  }

  /** Offer a score. Indices must come in rising order. */
  push(score: number, index: number): void {
    if (this.#size < this.#capacity) {
      let at = this.#size++;
      for (let up; at > 0 && this.#worse(score, index, (up = (at - 1) >> 1)); at = up) this.#move(up, at);
      this.#put(at, score, index);
    } else if (score > this.#scores[0]!) this.#sink(score, index, this.#size);
  }

  /** Offer `scores`, each with `added`, under indices from `first` on. */
  pushAll(scores: Float32Array | Float64Array, added: number, first: number): void {
    let i = 0;
    for (; i < scores.length && this.#size < this.#capacity; i++) this.push(scores[i]! + added, first + i);
    let worst = this.#scores[0]!;
    for (; i < scores.length; i++) {
      const score = scores[i]! + added;
      if (!(score > worst)) continue;
      this.push(score, first + i);
      worst = this.#scores[0]!;
    }
  }

  /** Put the best first. After this only `clear` may follow before the next `push`. */
  sort(): void {
    for (let end = this.#size - 1; end > 0; end--) {
      const score = this.#scores[end]!;
      const index = this.#indices[end]!;
      this.#move(0, end);
      this.#sink(score, index, end);
    }
  }

  /** Put a pair into the heap of the first `size` places in place of its top. */
  #sink(score: number, index: number, size: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#worse(this.#scores[child + 1]!, this.#indices[child + 1]!, child)) child++;
      if (this.#worse(score, index, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, score, index);
  }

  /** Is a pair worse than the one at a place? */
  #worse(score: number, index: number, at: number): boolean {
    const other = this.#scores[at]!;
    return score < other || (score === other && index > this.#indices[at]!);
  }

  #move(from: number, to: number): void {
    this.#scores[to] = this.#scores[from]!;
    this.#indices[to] = this.#indices[from]!;
  }

  #put(at: number, score: number, index: number): void {
    this.#scores[at] = score;
    this.#indices[at] = index;
  }
}
