// From the bytes of a file to the elements a backend takes. Floats may be widened or narrowed, whole numbers may change their
// size; what a type cannot hold is an error, never another number. Hosts are little endian, as the files are.
import { storedBytes as bytesAs, type DType, type Storage } from '@transept/tensor';
import { f16Bits, halfTable } from './half.ts';
import { dequantize } from './gguf/blocks.ts';
import { quantizeQ4, quantizeQ8 } from './gguf/quantize.ts';
import { blockOf, isPlain, type PlainDType, type StoredDType } from './stored.ts';

/** What tensors are converted to: elements of a dtype, or the bytes of weights as backends store them. */
export type Target = DType | Storage;

/** The array that holds elements of a dtype, f16 and bf16 as their bits, or blocks of q8 and q4. */
export interface Arrays {
  readonly f32: Float32Array<ArrayBuffer>;
  readonly f16: Uint16Array<ArrayBuffer>;
  readonly i32: Int32Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
  readonly i8: Int8Array<ArrayBuffer>;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly bf16: Uint16Array<ArrayBuffer>;
  readonly q8: Uint8Array<ArrayBuffer>;
  readonly q4: Uint8Array<ArrayBuffer>;
}

const arrayOf: { readonly [T in Target]: ArrayType<Arrays[T]> } = {
  f32: Float32Array,
  f16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i8: Int8Array,
  u8: Uint8Array,
  bf16: Uint16Array,
  q8: Uint8Array,
  q4: Uint8Array,
};

/** What memory is used for on the way from a file to a result; no two of these are the same memory. */
type Use = 'gathered' | 'aligned' | 'values' | 'ordered' | 'result';

/**
 * Memory for one result after the other: a conversion that is given this may put its result where the last one was, or leave it
 * in the memory it came in.
 */
export class Workspace {
  readonly #memory = new Map<Use, ArrayBuffer>();

  take<T extends Target>(use: Use, to: T, length: number): Arrays[T] {
    const bytes = length * arrayOf[to].BYTES_PER_ELEMENT;
    let memory = this.#memory.get(use);
    if (!memory || memory.byteLength < bytes) this.#memory.set(use, (memory = new ArrayBuffer(bytes)));
    return new arrayOf[to](memory, 0, length);
  }
}

const take = <T extends Target>(to: T, length: number, space?: Workspace): Arrays[T] =>
  space?.take('result', to, length) ??
  new arrayOf[to](new ArrayBuffer(length * arrayOf[to].BYTES_PER_ELEMENT), 0, length);

/** Smallest and largest number of the integer types; for f32 and f16 the whole numbers that are exact. */
const limits: Readonly<Record<DType, readonly [min: number, max: number]>> = {
  f32: [-(2 ** 24), 2 ** 24],
  f16: [-2048, 2048],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i8: [-128, 127],
  u8: [0, 255],
};

/** Thrown when a value does not fit; the caller knows the tensor and says which. */
export class ConversionError extends RangeError {
  override readonly name = 'ConversionError';
}

/** Types of files whose bytes are what a target wants. */
const sameBytes: Readonly<Partial<Record<StoredDType, Target>>> = {
  F32: 'f32',
  F16: 'f16',
  I32: 'i32',
  U32: 'u32',
  I8: 'i8',
  U8: 'u8',
  BF16: 'bf16',
  Q8_0: 'q8',
  Q4_0: 'q4',
};

/** Are the bytes of the file those of the target? */
export const isKept = (from: StoredDType, to: Target): boolean => sameBytes[from] === to;

/**
 * Convert stored elements; for q8 and q4, whole blocks of 32. Without a workspace the result has memory of its own. Throws a
 * ConversionError.
 */
export function convert<T extends Target>(
  bytes: Uint8Array<ArrayBuffer>,
  from: StoredDType,
  to: T,
  space?: Workspace,
): Arrays[T];
export function convert(
  bytes: Uint8Array<ArrayBuffer>,
  from: StoredDType,
  to: Target,
  space?: Workspace,
): Arrays[Target] {
  if (isKept(from, to)) return view(space ? bytes : bytes.slice(), arrayOf[to] as ArrayType<Arrays[Target]>, space);
  const viaValues =
    to === 'bf16' || to === 'q8' || to === 'q4' || (to === 'f16' && (from === 'BF16' || !isPlain(from)));
  if (viaValues) return encode(valuesOf(bytes, from, space), to, space);
  const out = take(to, elementsIn(bytes, from), space);
  if (isPlain(from)) convertInto(bytes, from, to, out, space);
  else if (to === 'f32') dequantize(bytes, from, out as Float32Array);
  else throw notWhole(from, to);
  return out;
}

function elementsIn(bytes: Uint8Array, dtype: StoredDType): number {
  const block = blockOf(dtype);
  return (bytes.length / block.bytes) * block.elements;
}

/** Elements as f32, on their way to something else; with a workspace, perhaps in the memory they came in. */
export function valuesOf(
  bytes: Uint8Array<ArrayBuffer>,
  from: StoredDType,
  space?: Workspace,
): Float32Array<ArrayBuffer> {
  if (from === 'F32') return view(space ? bytes : bytes.slice(), Float32Array<ArrayBuffer>, space);
  const length = elementsIn(bytes, from);
  const values = space?.take('values', 'f32', length) ?? new Float32Array(length);
  if (isPlain(from)) convertInto(bytes, from, 'f32', values, space);
  else dequantize(bytes, from, values);
  return values;
}

/** The same from values that were expanded to f32 already. */
export function encode<T extends Target>(values: Float32Array<ArrayBuffer>, to: T, space?: Workspace): Arrays[T];
export function encode(values: Float32Array<ArrayBuffer>, to: Target, space?: Workspace): Arrays[Target] {
  if (to === 'f32') return values;
  if (to !== 'f16' && to !== 'bf16' && to !== 'q8' && to !== 'q4') throw notWhole('F32', to);
  const out = take(to, to === 'q8' || to === 'q4' ? bytesAs(to, values.length) : values.length, space);
  switch (to) {
    case 'f16':
      toHalf(values, out);
      break;
    case 'bf16':
      toBrainHalf(values, out);
      break;
    case 'q8':
    case 'q4': {
      const misfit = (to === 'q8' ? quantizeQ8 : quantizeQ4)(values, out as Uint8Array);
      if (misfit) throw doesNotFit(misfit.value, misfit.at, to, to === 'q8' ? 'up to ±8.3e6' : 'up to ±5.2e5');
      break;
    }
    default:
      to satisfies never;
  }
  return out;
}

function convertInto(
  bytes: Uint8Array<ArrayBuffer>,
  from: PlainDType,
  to: DType,
  out: Arrays[Target],
  space?: Workspace,
): void {
  const as = <A>(type: ArrayType<A>): A => view(bytes, type, space);
  switch (from) {
    case 'F32':
    case 'F64': {
      const values = from === 'F32' ? as(Float32Array) : as(Float64Array);
      if (to === 'f32') return f64ToF32(values, out);
      if (to === 'f16') return toHalf(values, out);
      throw notWhole(from, to);
    }
    case 'F16': {
      if (to !== 'f32') throw notWhole(from, to);
      const table = halfTable();
      const bits = as(Uint16Array);
      for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
      return;
    }
    case 'BF16': {
      if (to !== 'f32') throw notWhole(from, to);
      const bits = as(Uint16Array);
      const wide = new Uint32Array(out.buffer, out.byteOffset, out.length);
      for (let i = 0; i < bits.length; i++) wide[i] = bits[i]! << 16;
      return;
    }
    // A number of 64 bits that is out of range stays so when it is rounded to a double.
    case 'I64':
      return whole(as(BigInt64Array), to, out);
    case 'U64':
      return whole(as(BigUint64Array), to, out);
    case 'I32':
      return whole(as(Int32Array), to, out);
    case 'U32':
      return whole(as(Uint32Array), to, out);
    case 'I16':
      return whole(as(Int16Array), to, out);
    case 'U16':
      return whole(as(Uint16Array), to, out);
    case 'I8':
      return whole(as(Int8Array), to, out);
    case 'U8':
      return whole(bytes, to, out);
    case 'BOOL': {
      const yes = to === 'f16' ? f16Bits(1) : 1;
      for (let i = 0; i < bytes.length; i++) out[i] = bytes[i] === 0 ? 0 : yes;
      return;
    }
    default:
      return from satisfies never;
  }
}

type ArrayType<A> = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
};

/** Bytes as numbers; copied first where they do not start at a multiple of the number's size. */
function view<A>(bytes: Uint8Array<ArrayBuffer>, type: ArrayType<A>, space?: Workspace): A {
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : copy(bytes, space);
  return new type(aligned.buffer, aligned.byteOffset, bytes.length / type.BYTES_PER_ELEMENT);
}

function copy(bytes: Uint8Array<ArrayBuffer>, space: Workspace | undefined): Uint8Array<ArrayBuffer> {
  const out = space?.take('aligned', 'u8', bytes.length);
  out?.set(bytes);
  return out ?? bytes.slice();
}

function f64ToF32(values: Float32Array | Float64Array, out: Arrays[Target]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    out[i] = value;
    if (!Number.isFinite(out[i]) && Number.isFinite(value)) throw doesNotFit(value, i, 'f32', '±3.4028235e38');
  }
}

function toHalf(values: Float32Array | Float64Array, out: Arrays[Target]): void {
  const bits =
    values instanceof Float32Array ? new Uint32Array(values.buffer, values.byteOffset, values.length) : undefined;
  for (let i = 0; i < values.length; i++) {
    const size = bits ? bits[i]! & 0x7fffffff : 0;
    if (bits && size >= 0x38800000 && size < 0x477fe000) {
      // A normal f16 whatever the rounding: exponents differ by 112, and 13 bits are rounded away, ties to even.
      out[i] = ((bits[i]! >>> 16) & 0x8000) | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
      continue;
    }
    const value = values[i]!;
    out[i] = f16Bits(value);
    if ((out[i]! & 0x7fff) === 0x7c00 && Number.isFinite(value)) throw doesNotFit(value, i, 'f16', '±65504');
  }
}

/** The upper half of f32, rounded to nearest, ties to even. */
function toBrainHalf(values: Float32Array<ArrayBuffer>, out: Arrays[Target]): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]!;
    const isNaN = (b & 0x7fffffff) > 0x7f800000;
    out[i] = isNaN ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
    if ((out[i]! & 0x7fff) === 0x7f80 && Number.isFinite(values[i]))
      throw doesNotFit(values[i]!, i, 'bf16', '±3.39e38');
  }
}

function whole(values: ArrayLike<number | bigint>, to: DType, out: Arrays[Target]): void {
  const [min, max] = limits[to];
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]!);
    if (value < min || value > max) throw doesNotFit(value, i, to, `${min} to ${max}`);
    out[i] = to === 'f16' ? f16Bits(value) : value;
  }
}

const doesNotFit = (value: number, at: number, to: Target, range: string): ConversionError =>
  new ConversionError(`element ${at} is ${value}, which ${to} cannot hold; expected ${range}`);

const notWhole = (from: StoredDType, to: Target): ConversionError =>
  new ConversionError(`${from} does not convert to ${to}; ask for f32 or f16`);
