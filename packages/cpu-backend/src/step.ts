// What a kernel makes of a call: a step that is written into WebAssembly memory when its program is loaded.
import type { Plan, ScalarRef, Storage, View } from '@transept/tensor';
import type { Panels } from './packing.ts';

/** A kernel of the WebAssembly module, by its number there. */
export const kernelNumbers = {
  pointwise: 0,
  reduce: 1,
  matmul: 2,
  gather: 3,
  scatter: 4,
  copy: 5,
  packParameter: 6,
  softmax: 7,
  norm: 8,
  argmax: 9,
  rope: 10,
  attention: 11,
  quantizedMatmul: 12,
  crossEntropy: 13,
} as const;

export type KernelName = keyof typeof kernelNumbers;

/** Where things lie for one program; handed to steps when they are written. All addresses are in bytes. */
export interface Placement {
  /** Of a view's first element. */
  address(view: View): number;
  /** Of an i32 or f32: a scalar of the run, or a constant. */
  scalar(value: number | ScalarRef): number;
  /** Of the four lanes that hold a scalar of the run. */
  scalarLanes(scalar: number): number;
  /** Of a copy of some 32-bit numbers, kept as long as the program. */
  words(words: readonly number[]): number;
  /** Of a copy of some words that may be addresses, and are as wide as these. */
  block(words: readonly number[]): number;
  /** Of a parameter view [depth, columns] repacked in panels, shared between programs. */
  panels(view: View, stored: Storage | undefined): Panels;
  /** Of a table's rows, wherever its buffer has them by the time the step runs. */
  rows(table: View): TableRows;
  /** Of working memory, one part of `scratchBytes` per thread. */
  readonly scratch: number;
  readonly scratchBytes: number;
}

/** Where a table begins, as an address; and, for rows that lie in panels, of what number they are in the buffer at `base`. */
export interface TableRows {
  readonly table: number;
  /** Address of the number of rows in panels, or 0 where none ever do. */
  readonly panelledAt: number;
  readonly base: number;
  readonly first: number;
}

export interface Step {
  readonly kernel: KernelName;
  /** For people: which of the kernel's ways this is, where it has several. */
  readonly variant?: string;
  /** Elements touched or multiply-adds, roughly: small steps are not worth sharing out. 0: never share. */
  readonly work: number;
  /** Working memory one thread needs. */
  readonly scratchBytes: number;
  /** The parameter block, in the order in which the kernel reads it. */
  parameters(at: Placement): readonly number[];
}

/** Steps of fewer elements or multiply-adds than this are done by one thread: waiting for others would take longer. */
export const worthSharing = 32768;

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The bits of an f32 as a word. */
export function floatWord(x: number): number {
  float[0] = x;
  return bits[0]!;
}

/** Strides in bytes. */
export const byteStrides = (strides: readonly number[]): number[] => strides.map((s) => s * 4);

/** The numbers that kernels know the forms of stored weights by; f32 is 0. */
const forms: Readonly<Record<Storage, number>> = { f16: 1, bf16: 2, q8: 3, q4: 4 };
export const formOf = (stored: Storage | undefined): number => (stored ? forms[stored] : 0);

/** How the buffer of a view is stored, where that is not as its type says. */
export function storageOf(view: View, plan: Plan): Storage | undefined {
  const buffer = plan.buffers[view.buffer]!;
  return buffer.kind === 'bound' ? buffer.stored : undefined;
}
