// Element types and their sizes. Arithmetic happens in f32, i32 and u32; the narrower types are storage.

/** Type of the elements of a tensor. Truth values are i32: 0 is false, everything else true, and comparisons give 0 or 1. */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'i8' | 'u8';

/** Types that expressions compute in. */
export type ComputeType = 'f32' | 'i32' | 'u32';

/** Bytes one element takes. */
export const bytesPer: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u32: 4, i8: 1, u8: 1 };

/** The type an element has once it was loaded: f16 widens to f32, i8 to i32, u8 to u32. */
export function computeType(dtype: DType): ComputeType {
  switch (dtype) {
    case 'f32':
    case 'f16':
      return 'f32';
    case 'i32':
    case 'i8':
      return 'i32';
    case 'u32':
    case 'u8':
      return 'u32';
    default:
      return dtype satisfies never;
  }
}
