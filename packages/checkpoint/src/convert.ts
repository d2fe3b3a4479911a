// From the bytes of a file to the elements a backend takes. Floats may be widened or narrowed, whole numbers may change their
// size; what a type cannot hold is an error, never another number. Hosts are little endian, as the files are.
import type { DType } from '@transept/tensor';
import { f16Bits, halfTable } from './half.ts';
import { dequantize } from './gguf/blocks.ts';
import { blockOf, isPlain, type PlainDType, type StoredDType } from './stored.ts';

/** The array that holds elements of a dtype. f16 is kept as its bits. */
export interface Arrays {
  readonly f32: Float32Array<ArrayBuffer>;
  readonly f16: Uint16Array<ArrayBuffer>;
  readonly i32: Int32Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
  readonly i8: Int8Array<ArrayBuffer>;
  readonly u8: Uint8Array<ArrayBuffer>;
}

const arrayOf: { readonly [T in DType]: new (length: number) => Arrays[T] } = {
  f32: Float32Array,
  f16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i8: Int8Array,
  u8: Uint8Array,
};

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

/** Convert stored elements. The result never shares memory with `bytes`. Throws a ConversionError. */
export function convert<T extends DType>(bytes: Uint8Array<ArrayBuffer>, from: StoredDType, to: T): Arrays[T] {
  const block = blockOf(from);
  const out = new arrayOf[to]((bytes.length / block.bytes) * block.elements);
  if (isPlain(from)) convertInto(bytes, from, to, out);
  else if (to === 'f32') dequantize(bytes, from, out as Float32Array);
  else if (to === 'f16') toHalf(convert(bytes, from, 'f32'), out);
  else throw notWhole(from, to);
  return out;
}

/** The same from values that were expanded to f32 already. */
export function narrow<T extends DType>(values: Float32Array<ArrayBuffer>, to: T): Arrays[T] {
  if (to === 'f32') return values as Arrays[T];
  const out = new arrayOf[to](values.length);
  if (to === 'f16') toHalf(values, out);
  else throw notWhole('F32', to);
  return out;
}

function convertInto(bytes: Uint8Array<ArrayBuffer>, from: PlainDType, to: DType, out: Arrays[DType]): void {
  switch (from) {
    case 'F32':
    case 'F64': {
      if (to === 'f32' && from === 'F32') return copyBytes(bytes, out);
      const values = from === 'F32' ? view(bytes, Float32Array) : view(bytes, Float64Array);
      if (to === 'f32') return f64ToF32(values, out);
      if (to === 'f16') return toHalf(values, out);
      throw notWhole(from, to);
    }
    case 'F16': {
      if (to === 'f16') return copyBytes(bytes, out);
      if (to !== 'f32') throw notWhole(from, to);
      const table = halfTable();
      const bits = view(bytes, Uint16Array);
      for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
      return;
    }
    case 'BF16': {
      if (to !== 'f32' && to !== 'f16') throw notWhole(from, to);
      const bits = view(bytes, Uint16Array);
      const wide = to === 'f32' ? (out as Float32Array) : new Float32Array(bits.length);
      const wideBits = new Uint32Array(wide.buffer);
      for (let i = 0; i < bits.length; i++) wideBits[i] = bits[i]! << 16;
      return to === 'f32' ? undefined : toHalf(wide, out);
    }
    case 'I64':
    case 'U64':
      // A number of 64 bits that is out of range stays so when it is rounded to a double.
      return whole(
        Float64Array.from(from === 'I64' ? view(bytes, BigInt64Array) : view(bytes, BigUint64Array), Number),
        to,
        out,
      );
    case 'I32':
      return to === 'i32' ? copyBytes(bytes, out) : whole(view(bytes, Int32Array), to, out);
    case 'U32':
      return to === 'u32' ? copyBytes(bytes, out) : whole(view(bytes, Uint32Array), to, out);
    case 'I16':
      return whole(view(bytes, Int16Array), to, out);
    case 'U16':
      return whole(view(bytes, Uint16Array), to, out);
    case 'I8':
      return whole(view(bytes, Int8Array), to, out);
    case 'U8':
      return whole(bytes, to, out);
    case 'BOOL':
      return whole(
        bytes.map((b) => (b === 0 ? 0 : 1)),
        to,
        out,
      );
    default:
      return from satisfies never;
  }
}

type ArrayType<A> = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
};

/** Bytes as numbers; copied first where they do not start at a multiple of the number's size. */
function view<A>(bytes: Uint8Array<ArrayBuffer>, type: ArrayType<A>): A {
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, bytes.length / type.BYTES_PER_ELEMENT);
}

function copyBytes(bytes: Uint8Array, out: Arrays[DType]): void {
  new Uint8Array(out.buffer).set(bytes);
}

function f64ToF32(values: Float32Array | Float64Array, out: Arrays[DType]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    out[i] = value;
    if (!Number.isFinite(out[i]) && Number.isFinite(value)) throw doesNotFit(value, i, 'f32', '±3.4028235e38');
  }
}

function toHalf(values: Float32Array | Float64Array, out: Arrays[DType]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    out[i] = f16Bits(value);
    if ((out[i]! & 0x7fff) === 0x7c00 && Number.isFinite(value)) throw doesNotFit(value, i, 'f16', '±65504');
  }
}

function whole(values: ArrayLike<number>, to: DType, out: Arrays[DType]): void {
  const [min, max] = limits[to];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min || value > max) throw doesNotFit(value, i, to, `${min} to ${max}`);
    out[i] = to === 'f16' ? f16Bits(value) : value;
  }
}

const doesNotFit = (value: number, at: number, to: DType, range: string): ConversionError =>
  new ConversionError(`element ${at} is ${value}, which ${to} cannot hold; expected ${range}`);

const notWhole = (from: StoredDType, to: DType): ConversionError =>
  new ConversionError(`${from} does not convert to ${to}; ask for f32 or f16`);
