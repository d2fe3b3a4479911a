// Whole numbers drawn at random and remembered, so that the same case can be made again from smaller ones: a case that fails
// shrinks by shrinking what was drawn for it (the idea of Hypothesis: MacIver & Donaldson, ECOOP 2020).
import { Random } from '../random.ts';

export class Choices {
  /** Every number drawn so far, less the lowest that it could have been. */
  readonly drawn: number[] = [];
  readonly #random: Random;
  readonly #given: readonly number[] | undefined;

  /** With `given` these numbers come in place of random ones, and the lowest possible after them. */
  constructor(seed: number, given?: readonly number[]) {
    this.#random = new Random(seed);
    this.#given = given;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    const above = this.#given
      ? Math.min(this.#given[this.drawn.length] ?? 0, high - low)
      : this.#random.integer(0, high - low);
    this.drawn.push(above);
    return low + above;
  }

  /** Small sizes mostly; now and then one around what a vector or a workgroup holds. */
  size(most: number): number {
    const kind = this.integer(0, 5);
    if (kind < 4) return this.integer(1, Math.min(9, most));
    return kind === 4
      ? this.integer(1, most)
      : Math.min(most, [16, 32, 64, 128][this.integer(0, 3)]! + this.integer(0, 2) - 1);
  }

  /** True once in `n` times; false is the simpler one. */
  once(n: number): boolean {
    return this.integer(0, n - 1) === n - 1;
  }

  /** One of some things; the first is the simplest. */
  of<T>(things: readonly T[]): T {
    return things[this.integer(0, things.length - 1)]!;
  }

  /** All of some things in another order. */
  order(count: number): number[] {
    const left = [...Array(count).keys()];
    return Array.from({ length: count }, () => left.splice(this.integer(0, left.length - 1), 1)[0]!);
  }
}

/** What was drawn, made smaller in every way that is worth a try: large steps first. */
export function* smaller(drawn: readonly number[]): Generator<number[]> {
  for (const [i, value] of drawn.entries()) if (value > 0) yield drawn.with(i, 0);
  for (const [i, value] of drawn.entries()) if (value > 2) yield drawn.with(i, value >> 1);
  for (const [i, value] of drawn.entries()) if (value > 1) yield drawn.with(i, value - 1);
}
