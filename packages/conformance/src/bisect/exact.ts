// What one operation should give for the memory that it finds, with all that arithmetic allows. The oracle works that out in f64
// element by element; of large matrix products, only for the elements that differ most.
import type { Arithmetic, CallNode, Graph, Operand } from '@transept/tensor';
import { elements } from '@transept/tensor';
import { sumError, smallestNormal } from '../bounds.ts';
import type { TypedArray } from '../fence.ts';
import { Cells } from '../oracle/cells.ts';
import { Oracle } from '../oracle/oracle.ts';
import type { Alone } from './alone.ts';
import type { Allowed } from './judge.ts';

/** Multiplications above which a product is looked at element by element, and how many elements then. */
const largeProduct = 2 ** 24;
const looked = 64;

export interface Expected {
  readonly allowed: Allowed;
  /** The elements of the result that it is about; all of them where it is missing. */
  readonly places?: readonly number[];
}

/** One operation and all that it finds. */
export interface Found {
  readonly graph: Graph;
  readonly node: CallNode;
  readonly alone: Alone;
  readonly memory: (root: number) => TypedArray;
  readonly scalars: readonly number[];
}

/** What each of two devices may give, which gave `x` and `y`. */
export function expectedOf(
  { graph, node, alone, memory, scalars }: Found,
  [x, y]: readonly [TypedArray, TypedArray],
  arithmetics: readonly Arithmetic[],
): Expected {
  const multiplications = node.op === 'matmul' ? elements(node.shape) * node.inputs[0]!.shape.at(-1)! : 0;
  if (multiplications > largeProduct) {
    const places = mostDifferent(x, y);
    const dot = arithmetics.map(() => new Cells(places.length));
    places.forEach((at, i) => {
      const { value, size, terms } = product(graph, node, at, memory);
      arithmetics.forEach((arithmetic, k) => {
        const error = sumError(terms, arithmetic) * size + terms * smallestNormal;
        dot[k]!.set(i, { value, low: value - error, high: value + error });
      });
    });
    return { allowed: dot, places };
  }
  const oracles = new Map<Arithmetic, Cells>();
  for (const arithmetic of arithmetics) {
    if (oracles.has(arithmetic)) continue;
    const oracle = new Oracle(alone.traced, arithmetic);
    for (const [name, root] of alone.memories) oracle.write(name, memory(root));
    oracle.run(scalars);
    oracles.set(arithmetic, oracle.read(alone.written));
  }
  return { allowed: arithmetics.map((arithmetic) => oracles.get(arithmetic)!) };
}

/** Elements by how far they are apart. */
function mostDifferent(x: TypedArray, y: TypedArray): number[] {
  let found: { at: number; apart: number }[] = [];
  const keep = (): void => {
    found.sort((a, b) => b.apart - a.apart);
    found = found.slice(0, looked);
  };
  for (let at = 0; at < x.length; at++) {
    const apart = Math.abs(x[at]! - y[at]!);
    if (apart === 0) continue;
    found.push({ at, apart: Number.isNaN(apart) ? Infinity : apart });
    if (found.length > 16 * looked) keep();
  }
  keep();
  return found.map(({ at }) => at);
}

/** One element of a matrix product: its value, the sum of the sizes of its terms, and how many they are. */
function product(graph: Graph, { inputs, shape }: CallNode, at: number, memory: (root: number) => TypedArray) {
  const [a, b] = inputs as readonly [Operand, Operand];
  const [left, right] = [a, b].map((o) => memory(graph.rootOf(o.node))) as [TypedArray, TypedArray];
  const [columns, rows, terms] = [shape.at(-1)!, shape.at(-2)!, a.shape.at(-1)!];
  const [column, row] = [at % columns, Math.floor(at / columns) % rows];
  let batch = Math.floor(at / (columns * rows));
  let [l, r] = [a.offset + row * a.strides.at(-2)!, b.offset + column * b.strides.at(-1)!];
  for (let axis = shape.length - 3; axis >= 0; axis--) {
    const i = batch % shape[axis]!;
    batch = Math.floor(batch / shape[axis]!);
    l += i * a.strides[axis]!;
    r += i * b.strides[axis]!;
  }
  let [value, size] = [0, 0];
  for (let k = 0; k < terms; k++, l += a.strides.at(-1)!, r += b.strides.at(-2)!) {
    const term = left[l]! * right[r]!;
    value += term;
    size += Math.abs(term);
  }
  return { value, size, terms };
}
