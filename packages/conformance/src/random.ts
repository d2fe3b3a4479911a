// Numbers that look random and are the same for the same seed everywhere, and where the contents of test tensors come from.

/** A stream of numbers (PCG-like mixing of a linear congruential generator). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
    this.bits();
  }

  /** 32 random bits, as a number from 0 to 2³² − 1. */
  bits(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    return (x ^ (x >>> 14)) >>> 0;
  }

  /** From 0 to just below 1. */
  unit(): number {
    return this.bits() / 2 ** 32;
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + (this.bits() % (high - low + 1));
  }
}

/** A seed that depends on all its parts. */
export function seedOf(seed: number, ...parts: readonly string[]): number {
  let hash = seed | 0;
  for (const char of parts.join('\0')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) ^ (hash >>> 13);
  return hash;
}

/** The i-th element of a tensor. */
export type Fill = (random: Random, i: number) => number;

export const uniform =
  (low: number, high: number): Fill =>
  (random) =>
    random.uniform(low, high);

export const integers =
  (low: number, high: number): Fill =>
  (random) =>
    random.integer(low, high);

/** Sizes over many powers of two, both signs. */
export const wide =
  (exponent: number): Fill =>
  (random) =>
    (random.unit() < 0.5 ? -1 : 1) * 2 ** random.uniform(-exponent, exponent);

/** These values, over and over. */
export const cycle =
  (values: readonly number[]): Fill =>
  (_, i) =>
    values[i % values.length]!;

/** Every element another whole number, so that what was moved can be told apart. */
export const numbered: Fill = (_, i) => i + 1;
