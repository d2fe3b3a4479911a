// A fault: one way in which a backend can be wrong. Each is put into an otherwise correct backend by itself.
import type { Attrs, Backend, Call, OpName, Tensor, View } from '@transept/tensor';
import type { Elements } from './sound.ts';

export type Fault = KernelFault | BackendFault;

/** A wrong kernel. */
export interface KernelFault {
  readonly op: OpName;
  readonly name: string;
  /** Does another call in place of the one that was asked for. */
  call?(call: Call): Call;
  /** Computes something else in place of a fused operation. */
  define?(inputs: readonly Tensor[], attrs: Attrs): Tensor;
  /** Reads another index than the one that gather or scatter was given; `rows` is the length of the table. */
  index?(index: number, rows: number): number;
  /** Sees other scalars than those of the run. */
  scalars?(now: readonly number[], first: readonly number[]): readonly number[];
  /** Spoils memory after the kernel ran. */
  spoil?(after: Spoils): void;
}

/** What a kernel leaves behind. */
export interface Spoils {
  readonly call: Call;
  /** All memory of the output's buffer, and what was there before. */
  readonly out: Elements;
  readonly before: Elements;
  /** Where the elements of the output lie in it, in order. */
  readonly at: Int32Array;
  readonly memory: (view: View) => Elements;
}

/** A wrong backend around right kernels. */
export interface BackendFault {
  readonly op: 'program';
  readonly name: string;
  wrap(backend: Backend): Backend;
}
