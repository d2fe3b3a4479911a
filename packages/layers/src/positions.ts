// Where a token stands: sinusoidal tables (Vaswani et al., arXiv:1706.03762 §3.5) and the angles of rotary embeddings
// (Su et al., arXiv:2104.09864). Computed on the host in f64; graphs take rows of them.
import { expandDims, gather, gatherRange, slice } from '@transept/tensor';
import type { Graph, ScalarRef, Tensor } from '@transept/tensor';

export interface SinusoidalOptions {
  readonly positions: number;
  readonly width: number;
  /** `interleaved`: sin and cos take turns, as in the paper; `halves`: all sines, then all cosines (Marian, fairseq, OpenNMT). */
  readonly layout: 'interleaved' | 'halves';
  /** What the exponent i is divided by: `width` / 2 as in the paper, or `width` / 2 − 1 (fairseq, OpenNMT, M2M-100). */
  readonly divisor?: number;
  /** Position of row 0. */
  readonly first?: number;
}

/** Row p holds sin and cos of (first + p) / 10000^(i / divisor) for i < width / 2: [positions, width]. */
export function sinusoidalTable({ positions, width, layout, divisor = width / 2, first = 0 }: SinusoidalOptions): Float32Array {
  const table = new Float32Array(positions * width);
  const half = Math.floor(width / 2);
  for (let p = 0; p < positions; p++)
    for (let i = 0; i < half; i++) {
      const angle = (first + p) / 10000 ** (i / divisor);
      const [s, c] = layout === 'halves' ? [i, half + i] : [2 * i, 2 * i + 1];
      table[p * width + s] = Math.sin(angle);
      table[p * width + c] = Math.cos(angle);
    }
  return table;
}

/** Sinusoidal positions as a constant of a graph: [positions, width]. */
export const sinusoidalPositions = (g: Graph, name: string, options: SinusoidalOptions): Tensor =>
  g.constant(name, [options.positions, options.width], sinusoidalTable(options));

/** `count` rows of a table of positions from `start` on: [count, width]. Free where the start is known. */
export const positionRows = (table: Tensor, start: number | ScalarRef, count: number): Tensor =>
  typeof start === 'number' ? slice(table, 0, start, start + count) : gatherRange(table, start, count);

export interface RotaryOptions {
  readonly positions: number;
  /** How many elements of a head are rotated. */
  readonly size: number;
  /** Base of the frequencies. */
  readonly theta: number;
  readonly interleaved?: boolean;
}

/** Angles of rotary embeddings for some positions. */
export interface Rotary {
  readonly cos: Tensor; // [B or 1, T, 1, size / 2]
  readonly sin: Tensor;
  readonly interleaved: boolean;
}

/** Cosines and sines of the angles at `positions` [B, T] (i32). */
export function rotary(g: Graph, positions: Tensor, options: RotaryOptions): Rotary {
  const { size, theta, interleaved = false } = options;
  const half = size / 2;
  const table = (fn: (x: number) => number): Float32Array =>
    Float32Array.from({ length: options.positions * half }, (_, at) => fn(Math.floor(at / half) / theta ** ((2 * (at % half)) / size)));
  const name = `rotary.${theta}.${size}.${options.positions}`;
  const rows = (part: string, fn: (x: number) => number): Tensor => {
    const all = gather(g.constant(`${name}.${part}`, [options.positions, half], table(fn)), positions); // [B, T, half]
    return expandDims(all, 2);
  };
  return { cos: rows('cos', Math.cos), sin: rows('sin', Math.sin), interleaved };
}
