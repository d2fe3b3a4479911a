// The element types that checkpoint files hold, and how one tensor lies in its file.
import type { Shape } from '@transept/tensor';
import type { Arrangement } from './arrange.ts';

/** Element types of safetensors files. */
export type PlainDType =
  'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U64' | 'U32' | 'U16' | 'U8' | 'BOOL';

/** Types of GGUF files whose elements share scales by blocks. */
export type BlockDType =
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'IQ4_NL'
  | 'IQ4_XS'
  | 'TQ1_0'
  | 'TQ2_0';

export type StoredDType = PlainDType | BlockDType;

/** Bytes one plain element takes. */
export const storedBytes: Readonly<Record<PlainDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** Elements of a block, and the bytes that it takes. */
export interface Block {
  readonly elements: number;
  readonly bytes: number;
}

const blocks: Readonly<Record<BlockDType, Block>> = {
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q8_0: { elements: 32, bytes: 34 },
  Q2_K: { elements: 256, bytes: 84 },
  Q3_K: { elements: 256, bytes: 110 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
  Q6_K: { elements: 256, bytes: 210 },
  IQ4_NL: { elements: 32, bytes: 18 },
  IQ4_XS: { elements: 256, bytes: 136 },
  TQ1_0: { elements: 256, bytes: 54 },
  TQ2_0: { elements: 256, bytes: 66 },
};

/** What a type stores together: for a plain type, one element. */
export const blockOf = (dtype: StoredDType): Block =>
  isPlain(dtype) ? { elements: 1, bytes: storedBytes[dtype] } : blocks[dtype];

export const isPlain = (dtype: StoredDType): dtype is PlainDType => Object.hasOwn(storedBytes, dtype);

/** One tensor of a checkpoint. Its bytes were checked to exist and to be as many as shape and type need. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: Shape;
  /** The file it lies in, and its bytes start … end-1 there. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** How the file's order or values differ from what the tensor's name stands for. Readers undo it. */
  readonly arranged?: Arrangement;
}
