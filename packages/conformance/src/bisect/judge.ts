// Are two results of one operation further apart than arithmetic explains? Where they are, which of them is wrong.
import type { Shape } from '@transept/tensor';
import type { Cells } from '../oracle/cells.ts';

/** One element of a result. */
export interface ElementReport {
  readonly index: readonly number[];
  /** What each backend gives, in the order in which they were given. */
  readonly values: readonly number[];
  readonly exact: number;
  readonly difference: number;
  readonly bound: number;
}

export interface Judgement {
  /** Largest difference of two elements. */
  readonly difference: number;
  /** Elements that are further apart than their bound, and of how many. */
  readonly beyond: number;
  readonly of: number;
  /** The worst of them, by how many times their bound they are apart. */
  readonly worst: readonly ElementReport[];
  /** Which of the backends are further from the exact value than is allowed: positions in the order in which they were given. */
  readonly wrong: readonly number[];
}

/** Everything within which a correct result may lie, by backend. */
export type Allowed = readonly Cells[];

const shown = 5;

/**
 * Two results are compared with each other, each allowed its own distance from the exact value; a single one is compared with the
 * exact value. `places` are the elements that `allowed` speaks of, by default all.
 */
export function judge(
  results: readonly ArrayLike<number>[],
  allowed: Allowed,
  shape: Shape,
  places?: readonly number[],
): Judgement {
  const { length } = results[0]!;
  const worst: (ElementReport & { times: number })[] = [];
  const wrong = new Set<number>();
  let [difference, beyond] = [0, 0];
  const visit = (at: number, cell: number): void => {
    const values = results.map((r) => r[at]!);
    const exact = allowed[0]!.value[cell]!;
    const [x, y] = [values[0]!, values[1] ?? exact];
    if (Object.is(x, y) || x === y) return;
    const rooms = allowed.map((cells, k) => roomFor(values[k]!, cells, cell));
    const bound = rooms.reduce((a, b) => a + b, 0);
    const apart = Number.isNaN(x) || Number.isNaN(y) ? Infinity : Math.abs(x - y);
    difference = Math.max(difference, apart);
    if (bound === Infinity || Number.isNaN(bound) || apart <= bound) return;
    beyond++;
    allowed.forEach((cells, k) => {
      if (!(values[k]! >= cells.low[cell]! && values[k]! <= cells.high[cell]!)) wrong.add(k);
    });
    worst.push({ index: indexOf(at, shape), values, exact, difference: apart, bound, times: apart / bound });
    if (worst.length > 4 * shown) keepWorst(worst);
  };
  if (places) places.forEach((at, cell) => visit(at, cell));
  else for (let i = 0; i < length; i++) visit(i, i);
  keepWorst(worst);
  return {
    difference,
    beyond,
    of: length,
    worst: worst.map(({ times: _, ...element }) => element),
    wrong: [...wrong].sort(),
  };
}

/** How far a value may lie from the exact one, on its side of it. */
function roomFor(value: number, { value: exact, low, high }: Cells, at: number): number {
  return value > exact[at]! ? high[at]! - exact[at]! : exact[at]! - low[at]!;
}

function keepWorst(list: { times: number }[]): void {
  list.sort((a, b) => b.times - a.times);
  list.length = Math.min(list.length, shown);
}

function indexOf(at: number, shape: Shape): number[] {
  const index: number[] = [];
  for (const size of shape.toReversed()) {
    index.unshift(at % size);
    at = Math.floor(at / size);
  }
  return index;
}
