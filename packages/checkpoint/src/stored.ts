// The element types that checkpoint files hold, and how one tensor lies in its file.
import type { Shape } from '@transept/tensor';

/** Element types of safetensors files. */
export type StoredDType =
  'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U64' | 'U32' | 'U16' | 'U8' | 'BOOL';

/** Bytes one stored element takes. */
export const storedBytes: Readonly<Record<StoredDType, number>> = {
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

/** One tensor of a checkpoint. Its bytes were checked to exist and to be as many as shape and type need. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: Shape;
  /** The file it lies in, and its bytes start … end-1 there. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
}
