// Tensors for tests: a view into memory that holds garbage everywhere else, so that a kernel that reads or writes
// beside its view is found out.
import { elements, rowMajor } from '@transept/tensor';
import type { DType, Layout, Shape } from '@transept/tensor';

export interface TestTensor extends Layout {
  readonly dtype: 'f32' | 'i32' | 'u32';
  readonly memory: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
}

export interface TensorOptions {
  readonly dtype?: 'f32' | 'i32' | 'u32';
  /** Axes from the one that varies slowest in memory to the one that varies fastest. Default: row-major. */
  readonly order?: readonly number[];
  /** Elements before the first. */
  readonly offset?: number;
  /** Elements between neighbours along the fastest axis, less one. */
  readonly gap?: number;
  /** Elements between rows of the fastest axis. */
  readonly pitch?: number;
  /** Axes that are stretched: all positions are one element. */
  readonly broadcast?: readonly number[];
}

/** A word that no kernel computes: a NaN with a payload as f32. */
export const sentinel = 0x7fc12345;

/** A tensor with `value(i)` as its i-th element in row-major order; on broadcast axes the last one wins. */
export function tensor(shape: Shape, value: (i: number) => number, options: TensorOptions = {}): TestTensor {
  const { dtype = 'f32', order = shape.map((_, i) => i), offset = 0, gap = 0, pitch = 0, broadcast = [] } = options;
  const strides = new Array<number>(shape.length).fill(0);
  let next = 1 + gap;
  [...order].reverse().forEach((axis, i) => {
    if (broadcast.includes(axis)) return;
    strides[axis] = next;
    next = next * shape[axis]! + (i === 0 ? pitch : 0);
  });
  const length = offset + shape.reduce((n, d, i) => n + Math.max(0, d - 1) * strides[i]!, 0) + 9;
  const bits = new Uint32Array(length).fill(sentinel);
  const memory = dtype === 'f32' ? new Float32Array(bits.buffer) : dtype === 'i32' ? new Int32Array(bits.buffer) : bits;
  const result: TestTensor = { dtype, memory, offset, shape, strides };
  positions(result).forEach((at, i) => (memory[at] = value(i)));
  return result;
}

/** Where in memory the elements of a view lie, in row-major order. */
export function positions({ offset, shape, strides }: Layout): number[] {
  const digits = rowMajor(shape);
  return Array.from({ length: elements(shape) }, (_, i) =>
    shape.reduce((at, d, axis) => at + (Math.floor(i / digits[axis]!) % d) * strides[axis]!, offset),
  );
}

export const values = (t: TestTensor): number[] => positions(t).map((at) => t.memory[at]!);

export const words: Readonly<
  Partial<Record<DType, Float32ArrayConstructor | Int32ArrayConstructor | Uint32ArrayConstructor>>
> = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
};

/** Numbers in [−1, 1) that are the same on every run. */
export function random(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}
