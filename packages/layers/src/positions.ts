// Where a token stands: sinusoidal tables (Vaswani et al., arXiv:1706.03762 §3.5), computed on the host in f64; positions of the
// tokens of a pass.
import { expr, gatherRange, pointwise, ShapeError, slice } from '@transept/tensor';
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

/** A table is made before any weight shows that a model is so large. */
const MOST_NUMBERS = 2 ** 25;

/** Row p holds sin and cos of (first + p) / 10000^(i / divisor) for i = 0, 1, … : [positions, width]. */
export function sinusoidalTable({ positions, width, layout, divisor, first = 0 }: SinusoidalOptions): Float32Array {
  if (positions * width > MOST_NUMBERS)
    throw new ShapeError(
      `sinusoidalTable: ${positions} positions of width ${width} are ${positions * width} numbers; at most ${MOST_NUMBERS}`,
    );
  const table = new Float32Array(positions * width);
  // Of an odd width the paper's table ends with a sine, that of fairseq with a zero.
  const sines = divisor === undefined ? Math.ceil(width / 2) : Math.floor(width / 2);
  const cosines = Math.floor(width / 2);
  const lengths = Float64Array.from({ length: sines }, (_, i) => 10000 ** (i / (divisor ?? width / 2)));
  for (let p = 0; p < positions; p++)
    for (let i = 0; i < sines; i++) {
      const angle = (first + p) / lengths[i]!;
      const [s, c] = layout === 'halves' ? [i, sines + i] : [2 * i, 2 * i + 1];
      table[p * width + s] = Math.sin(angle);
      if (i < cosines) table[p * width + c] = Math.cos(angle);
    }
  return table;
}

/** Tables that graphs have now: a model is traced many times while it is loaded. */
const made = new Map<string, WeakRef<Float32Array>>();

/** Sinusoidal positions as a constant of a graph: [positions, width]. */
export function sinusoidalPositions(g: Graph, name: string, options: SinusoidalOptions): Tensor {
  const { positions, width, layout, divisor, first } = options;
  const key = [positions, width, layout, divisor, first].join();
  const table = made.get(key)?.deref() ?? sinusoidalTable(options);
  made.set(key, new WeakRef(table));
  return g.constant(name, [positions, width], table);
}

/** `count` rows of a table of positions from `start` on: [count, width]. Free where the start is known. */
export const positionRows = (table: Tensor, start: number | ScalarRef, count: number): Tensor =>
  typeof start === 'number' ? slice(table, 0, start, start + count) : gatherRange(table, start, count);

/** Positions start, start + 1, … of ids [B, T]: i32 [B, T]. */
export function countFrom(ids: Tensor, start: number | ScalarRef): Tensor {
  const { apply, constant, index } = expr;
  const first: expr.Expr =
    typeof start === 'number' ? constant(start, 'i32') : { kind: 'scalar', scalar: start.scalar };
  return pointwise(apply('add', first, index(1)), [ids]);
}
