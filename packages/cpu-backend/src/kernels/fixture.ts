// For tests: one call as a plan of its own, run on a backend. Storage around and between the elements of an input is NaN, around an
// output a number that has to be there afterwards.
import { bytesPer, elements, maxScalars, whole } from '@transept/tensor';
import type { Attrs, Backend, Call, DType, Epilogue, Expr, OpName, Plan, Role, Scalar, Shape } from '@transept/tensor';
import { cpu } from '../index.ts';

const guard = 16;
export const sentinel = -12345;

export interface Operand {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
  readonly role: Role;
  readonly storage: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
}

interface OperandOptions {
  readonly strides?: readonly number[];
  readonly dtype?: DType;
  readonly role?: Role;
}

/**
 * Every kind of SIMD on one thread and on two, and the best one with 64-bit addresses: there, all that is allocated later lies beyond
 * the first 4 GiB, which nobody touches.
 */
export async function everyVariant(): Promise<Record<string, Backend>> {
  const backends: Record<string, Backend> = {};
  for (const threads of [1, 2]) {
    for (const simd of ['relaxed', 'plain'] as const) backends[`${simd}, ${threads}`] = await cpu({ simd, threads });
    const wide = await cpu({ threads, maxBytes: 2 ** 32 + 2 ** 28 });
    for (let quarter = 0; quarter < 4; quarter++) wide.alloc(2 ** 30);
    backends[`64-bit addresses, ${threads}`] = wide;
  }
  return backends;
}

/** Numbers that look random and are the same every time. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
  };
}

const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };

/** An operand with the given elements in row-major order. Strides default to contiguous ones. */
export function operand(shape: Shape, value: (i: number) => number, options: OperandOptions = {}): Operand {
  const strides = options.strides ?? whole(shape).strides;
  const dtype = options.dtype ?? 'f32';
  const extent = elements(shape) === 0 ? 0 : 1 + shape.reduce((sum, d, i) => sum + (d - 1) * strides[i]!, 0);
  const storage = new arrays[dtype as 'f32' | 'i32' | 'u32'](extent + 2 * guard).fill(dtype === 'f32' ? NaN : 1 << 30);
  const made: Operand = { dtype, shape, strides, offset: guard, role: options.role ?? 'input', storage };
  const n = elements(shape);
  for (let i = 0; i < n; i++) storage[place(made, i)] = value(i);
  return made;
}

/** Where the i-th element in row-major order lies in storage. */
export function place({ shape, strides, offset }: Pick<Operand, 'shape' | 'strides' | 'offset'>, i: number): number {
  let at = offset;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at += (i % shape[axis]!) * strides[axis]!;
    i = Math.floor(i / shape[axis]!);
  }
  return at;
}

/** The element at row-major position i. */
export const elementAt = (o: Operand, i: number): number => o.storage[place(o, i)]!;

export interface CallCase {
  readonly op: OpName;
  readonly attrs?: Attrs;
  readonly inputs: readonly Operand[];
  readonly output: {
    readonly shape: Shape;
    readonly dtype?: DType;
    readonly strides?: readonly number[];
    /** What the view holds before; default: the sentinel. */
    readonly before?: (i: number) => number;
  };
  /** Type of the result that an epilogue starts from. Default: f32. */
  readonly result?: DType;
  readonly epilogue?: { readonly expr: Expr; readonly inputs: readonly Operand[] };
  readonly scalars?: readonly (Scalar & { readonly value: number })[];
}

/** A plan of one call, and the storage of its buffers. Where a kernel takes no epilogue, a pointwise call follows. */
export function planOf(made: CallCase, backend: Backend): { plan: Plan; operands: Operand[]; output: Operand } {
  const { op, attrs = {}, inputs, epilogue, scalars = [] } = made;
  if (scalars.length > maxScalars) throw new RangeError('too many scalars');
  const output = operand(made.output.shape, made.output.before ?? (() => sentinel), {
    role: 'output',
    dtype: made.output.dtype ?? 'f32',
    ...(made.output.strides && { strides: made.output.strides }),
  });
  output.storage.forEach((x, i) => {
    if (Number.isNaN(x) || x === 1 << 30) output.storage[i] = sentinel;
  });
  const operands = [...inputs, ...(epilogue?.inputs ?? []), output];
  const view = (o: Operand) => ({
    buffer: operands.indexOf(o),
    dtype: o.dtype,
    offset: o.offset,
    shape: o.shape,
    strides: o.strides,
  });
  const joined: Epilogue | undefined = epilogue && { expr: epilogue.expr, inputs: epilogue.inputs.map(view) };
  const call: Call = { op, attrs, inputs: inputs.map(view), output: view(output), label: 'test' };
  const calls: Call[] = [call];
  const between: Call['output'] = { ...view(output), dtype: made.result ?? 'f32', buffer: operands.length };
  if (joined && backend.kernels[op]?.epilogue) calls[0] = { ...call, epilogue: joined };
  else if (joined) {
    const inputsOfBoth = [between, ...joined.inputs];
    calls[0] = { ...call, output: between };
    calls.push({ ...call, op: 'pointwise', attrs: { expr: joined.expr }, inputs: inputsOfBoth });
  }
  const plan: Plan = {
    name: op,
    backend: backend.name,
    buffers: [
      ...operands.map((o, i) => ({
        kind: 'bound' as const,
        name: `${i}`,
        role: o.role,
        bytes: o.storage.length * bytesPer[o.dtype],
        dtype: o.dtype,
        shape: [o.storage.length],
        readback: o === output,
      })),
      { kind: 'temporary', bytes: output.storage.byteLength },
    ],
    calls,
    scalars: scalars.map(({ name, dtype }) => ({ name, dtype })),
    notes: [],
  };
  return { plan, operands, output };
}

/** Run one call; the whole storage of the output afterwards. */
export async function runCase(backend: Backend, made: CallCase): Promise<Operand> {
  const { plan, operands, output } = planOf(made, backend);
  const bound = operands.map((o) => {
    const buffer = backend.alloc(o.storage.byteLength);
    backend.write(buffer, o.storage);
    return buffer;
  });
  const program = await backend.load(plan, Object.fromEntries(bound.map((b, i) => [`${i}`, b])));
  program.run((made.scalars ?? []).map((s) => s.value));
  const bytes = await program.read(`${operands.length - 1}`);
  program[Symbol.dispose]();
  for (const buffer of bound) buffer[Symbol.dispose]();
  return { ...output, storage: new (output.storage.constructor as Float32ArrayConstructor)(bytes.buffer) };
}
