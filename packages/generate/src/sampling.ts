// The best token, or one drawn. Random numbers come from a counter-based generator: a number depends only on the seed and its
// place, so a sequence does not depend on the rest of its batch.
import { largest } from './softmax.ts';

/** The token with the highest score; of equal ones the lowest. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** The token at which the cumulated probabilities pass `uniform`, a number in (0, 1). Removed tokens are never drawn. */
export function draw(scores: Float64Array, uniform: number): number {
  const max = largest(scores);
  if (max === -Infinity) return argmax(scores);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - max);
  let left = uniform * sum;
  let last = 0;
  for (let i = 0; i < scores.length; i++) {
    const p = Math.exp(scores[i]! - max);
    if (p === 0) continue;
    last = i;
    if ((left -= p) < 0) break;
  }
  return last;
}

/**
 * A uniform number in (0, 1) for a seed and two counters, such as sequence and position: the same whatever was drawn before,
 * so a sequence does not depend on its batch. Philox4x32-10, Salmon et al. 2011.
 */
export function uniform(seed: number, stream: number, position: number): number {
  const [a, b] = philox(
    [position >>> 0, Math.floor(position / 2 ** 32) >>> 0, stream >>> 0, 0],
    [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0],
  );
  // 52 bits, and half a step up, so that neither 0 nor 1 comes.
  return ((a >>> 6) * 2 ** 26 + (b >>> 6) + 0.5) / 2 ** 52;
}

/** Uniform numbers in (0, 1), one after the other. */
export function uniforms(seed: number): () => number {
  let position = 0;
  return () => uniform(seed, 0, position++);
}

/** A seed for a call that names none. */
export const randomSeed = (): number => globalThis.crypto.getRandomValues(new Uint32Array(1))[0]!;

type Four = readonly [number, number, number, number];

/** Ten rounds of Philox over a counter of four words with a key of two. */
export function philox(counter: Four, key: readonly [number, number]): Four {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The upper 32 bits of a product of two words. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = (middle & 0xffff) + a0 * b1;
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}
