// The format of cases of single ONNX operators: a JSON list, one object a case, as `fixtures/onnx-ops` has them. Types that a graph
// has none of are turned into those it has: 64 bits into 32, packed nibbles into integers, bfloat16 into f32.
import { elements } from '@transept/tensor';
import type { DType } from '@transept/tensor';
import { smallFloats } from './small-floats.ts';

export interface OnnxCase {
  /** `test_NAME`, as the ONNX repository calls it. */
  readonly test: string;
  readonly op: string;
  readonly opset: Readonly<Record<string, number>>;
  readonly attrs: Readonly<Record<string, OnnxAttribute>>;
  /** null: left out. */
  readonly inputs: readonly (OnnxTensor | null)[];
  readonly outputs: readonly (OnnxTensor | null)[];
}

export type OnnxAttribute = number | string | readonly number[] | OnnxTensor;

export interface OnnxTensor {
  readonly name?: string;
  /** A type by its name, or by its number where it is too new to have one. */
  readonly dtype: string | number;
  readonly shape: readonly number[];
  /** Numbers, 'NaN', 'Infinity' and '-Infinity'; bytes for types that JSON has no numbers of. */
  readonly data: readonly (number | string)[];
}

/** What an ONNX type is in a graph. */
export interface Kind {
  readonly name: string;
  readonly dtype: DType;
  /** For integers of fewer than 32 bits: how many. */
  readonly bits?: number;
}

const kinds: readonly Kind[] = [
  { name: 'float32', dtype: 'f32' },
  { name: 'float64', dtype: 'f32' },
  { name: 'bfloat16', dtype: 'f32' },
  { name: 'float16', dtype: 'f16' },
  { name: 'bool', dtype: 'i32' },
  { name: 'int2', dtype: 'i32', bits: 2 },
  { name: 'int4', dtype: 'i32', bits: 4 },
  { name: 'int8', dtype: 'i32', bits: 8 },
  { name: 'int16', dtype: 'i32', bits: 16 },
  { name: 'int32', dtype: 'i32' },
  { name: 'int64', dtype: 'i32' },
  { name: 'uint2', dtype: 'u32', bits: 2 },
  { name: 'uint4', dtype: 'u32', bits: 4 },
  { name: 'uint8', dtype: 'u32', bits: 8 },
  { name: 'uint16', dtype: 'u32', bits: 16 },
  { name: 'uint32', dtype: 'u32' },
  { name: 'uint64', dtype: 'u32' },
  // Their codes; operators.ts looks the values up.
  ...Object.keys(smallFloats).map((name): Kind => ({ name, dtype: 'i32' })),
];

/** TensorProto.DataType of onnx.proto. */
const numbers: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
  24: 'float8e8m0',
  25: 'uint2',
  26: 'int2',
};

/** The kind of a type, or undefined where a graph cannot hold it (strings). */
export function kindOf(dtype: string | number): Kind | undefined {
  const name = typeof dtype === 'number' ? numbers[dtype] : dtype;
  return kinds.find((kind) => kind.name === name);
}

/** The elements of a tensor as numbers; codes for floats of 8 bits and fewer. */
export function valuesOf({ dtype, shape, data }: OnnxTensor): number[] {
  const kind = kindOf(dtype)!;
  const count = elements(shape);
  const given = data.map(Number);
  const packed = kind.bits !== undefined && kind.bits < 8 ? kind.bits : kind.name === 'float4e2m1' ? 4 : undefined;
  if (packed !== undefined) return unpack(given, packed, count, kind.dtype === 'i32' && kind.bits !== undefined);
  if (kind.name !== 'bfloat16') return given;
  const words = new Uint8Array(given.flatMap((byte, i) => (i % 2 === 0 ? [0, 0, byte] : [byte])));
  return [...new Float32Array(words.buffer)];
}

/** Elements of a few bits, the first in the lowest bits of a byte. */
function unpack(bytes: readonly number[], bits: number, count: number, signed: boolean): number[] {
  const perByte = 8 / bits;
  return Array.from({ length: count }, (_, i) => {
    const code = (bytes[Math.floor(i / perByte)]! >> (bits * (i % perByte))) & (2 ** bits - 1);
    return signed && code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
  });
}
