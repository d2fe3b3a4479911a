// Numbers that look random, are the same every time, and can be had from any place of the sequence.

/** The number at a place of the sequence of a seed, evenly spread over −1 … 1. */
export function noise(seed: number, place: number): number {
  let x = Math.imul(place ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (x ^ (x >>> 15)) / 2 ** 31;
}

/** `count` numbers with a mean of 0 and the given spread. */
export const randomFloats = (seed: number, count: number, spread = 1): Float32Array<ArrayBuffer> =>
  new Float32Array(count).map((_, i) => noise(seed, i) * spread * Math.sqrt(3));

/** `count` ids of ordinary tokens of a vocabulary. */
export const randomIds = (seed: number, count: number, vocabulary: number): number[] =>
  Array.from({ length: count }, (_, i) => 2 + Math.floor(((noise(seed, i) + 1) / 2) * (vocabulary - 4)));
