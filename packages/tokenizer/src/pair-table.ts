// A map from pairs of non-negative integers to integers, in one typed array with open addressing. It holds the edges of
// the trie (node, unit → node) and the merges of BPE (left, right → rank), where a Map of strings would cost most of the time.

const EMPTY = -1;

export class PairTable {
  #slots = new Int32Array(3 * 16).fill(EMPTY);
  #mask = 15;
  #size = 0;

  /** The value under (a, b), or -1. */
  get(a: number, b: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let i = hash(a, b) & mask; ; i = (i + 1) & mask) {
      const at = 3 * i;
      const key = slots[at]!;
      if (key === a && slots[at + 1] === b) return slots[at + 2]!;
      if (key === EMPTY) return EMPTY;
    }
  }

  set(a: number, b: number, value: number): void {
    if (2 * ++this.#size > this.#mask) this.#grow();
    this.#place(a, b, value);
  }

  #place(a: number, b: number, value: number): void {
    const slots = this.#slots;
    let i = hash(a, b) & this.#mask;
    while (slots[3 * i] !== EMPTY && (slots[3 * i] !== a || slots[3 * i + 1] !== b)) i = (i + 1) & this.#mask;
    slots[3 * i] = a;
    slots[3 * i + 1] = b;
    slots[3 * i + 2] = value;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length).fill(EMPTY);
    this.#mask = 2 * this.#mask + 1;
    for (let at = 0; at < old.length; at += 3) {
      if (old[at] !== EMPTY) this.#place(old[at]!, old[at + 1]!, old[at + 2]!);
    }
  }
}

/** Two rounds of multiply and shift: neighbouring ids and units must not land in neighbouring slots. */
function hash(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
