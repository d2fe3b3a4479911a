// The order of merging that all kinds of byte pair encoding share: the pair of neighbours with the least rank first, the
// leftmost of equal ones, until no pair has a rank. A heap of pairs keeps this near linear for any number of symbols.

/** What is known of the symbols, by position. */
export interface Symbols {
  /** The rank of two neighbours; -1 when they never merge. */
  rank(left: number, right: number): number;
  /** Makes one of two, which stands at `left` from then on. */
  merge(left: number, right: number, rank: number): void;
}

/** Merges `count` symbols, and calls `visit` with the position of each that remains. */
export function mergeAll(count: number, symbols: Symbols, visit: (position: number) => void): void {
  const next = new Int32Array(count + 1);
  const before = new Int32Array(count + 1);
  const heap = new Heap();
  const offer = (left: number, right: number): void => {
    const rank = right < count ? symbols.rank(left, right) : -1;
    if (rank >= 0) heap.push(rank * POSITIONS + left);
  };
  for (let i = 0; i < count; i++) {
    next[i] = i + 1;
    before[i] = i - 1;
    offer(i, i + 1);
  }
  for (let best = heap.pop(); best >= 0; best = heap.pop()) {
    const left = best % POSITIONS;
    const right = next[left]!;
    const rank = (best - left) / POSITIONS;
    // The pair may be gone: its left merged away, or one of the two grew.
    if (right === GONE || right >= count || symbols.rank(left, right) !== rank) continue;
    symbols.merge(left, right, rank);
    next[left] = next[right]!;
    before[next[right]!] = left;
    next[right] = GONE;
    offer(left, next[left]!);
    if (before[left]! >= 0) offer(before[left]!, left);
  }
  for (let i = 0; i < count; i = next[i]!) visit(i);
}

const GONE = -1;
/** Ranks and positions share one number: 2²² ranks times 2³¹ positions fit into 53 bits. */
const POSITIONS = 2 ** 31;

/** A binary heap of numbers, the least on top. */
class Heap {
  readonly #items: number[] = [];

  push(value: number): void {
    const items = this.#items;
    let at = items.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= value) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = value;
  }

  /** The least, or -1 when there is none. */
  pop(): number {
    const items = this.#items;
    const top = items[0] ?? -1;
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
