// A weight that is larger than what a kernel may bind of a buffer is bound in parts, which functions choose from.
import { bytesPer, storedBytes } from '@transept/tensor';
import type { DType, Storage } from '@transept/tensor';
import type { Binding } from '../step.ts';
import { u32 } from './address.ts';
import { indent } from './shader.ts';

/** Values from number `first` on, in an array of their own. */
export interface Part {
  readonly name: string;
  readonly first: number;
  readonly range: NonNullable<Binding['range']>;
}

/** Values after which any array may be cut: their bytes are whole blocks and a multiple of 256, where a binding may begin. */
const unit = 4096;

/** The parts of an array that is too large to be bound whole. */
export function partsOf(
  name: string,
  { dtype, stored }: { readonly dtype: DType; readonly stored: Storage | undefined },
  bytes: number,
  maxBinding: number,
): readonly Part[] | undefined {
  const unitBytes = stored ? storedBytes(stored, unit) : unit * bytesPer[dtype];
  const units = Math.floor(maxBinding / unitBytes);
  if (bytes <= maxBinding || units === 0) return undefined;
  const size = units * unitBytes;
  return Array.from({ length: Math.ceil(bytes / size) }, (_, i) => ({
    name: `${name}_${i}`,
    first: i * units * unit,
    range: { offset: i * size, size: Math.min(size, Math.ceil((bytes - i * size) / 16) * 16) },
  }));
}

/** Functions `NAMEAt` and, where it is read by fours, `NAMEFour`, which find the i-th value in the part that has it. */
export function partFunctions(name: string, parts: readonly Part[], read: PartReader, vector: boolean): string {
  const choose = (fn: string, type: string, from: PartReader[keyof PartReader]): string => {
    const body = parts.map((part, i) => {
      const value = `return ${from(part.name, part.first === 0 ? 'i' : `(i - ${u32(part.first)})`)};`;
      const next = parts[i + 1];
      return next ? `if (i < ${u32(next.first)}) { ${value} }` : value;
    });
    return `fn ${name}${fn}(i: u32) -> ${type} {\n${indent(body)}\n}`;
  };
  return [choose('At', 'f32', read.one), ...(vector ? [choose('Four', 'vec4<f32>', read.four)] : [])].join('\n');
}

/** How a value, or four, of an array are read. */
export interface PartReader {
  one(name: string, at: string): string;
  four(name: string, at: string): string;
}
