// A plan: a graph after lowering for one backend. Calls in order and the buffers they use, as plain data that can be
// printed, compared, hashed, stored and posted to another thread. It holds no memory and no device.
import type { ComputeType, DType } from './dtype.ts';
import type { Expr } from './expr.ts';
import type { Layout, Shape } from './shape.ts';
import type { OpName } from './backend.ts';
import type { Storage } from './storage.ts';

/** A tensor as a kernel sees it: which buffer, from where, in which order. Offset and strides count elements of `dtype`. */
export interface View extends Layout {
  /** Index into `Plan.buffers`. */
  readonly buffer: number;
  readonly dtype: DType;
}

/** A number that is given anew on every run: an index into `Plan.scalars`. */
export interface ScalarRef {
  readonly scalar: number;
}

/** A value an operation takes besides tensors. */
export type Attr = number | string | boolean | readonly number[] | ScalarRef | Expr;
export type Attrs = Readonly<Record<string, Attr>>;

/**
 * A pointwise expression evaluated on an operation's result before it is stored. In `expr`, input 0 is the result in
 * f32 (i32 for operations that give integers) and input `i` is `inputs[i - 1]`, broadcast to the shape of the output.
 */
export interface Epilogue {
  readonly expr: Expr;
  readonly inputs: readonly View[];
  /**
   * The operation gives twice as many columns as the output has. In `expr`, input 0 is the result in the first half of them,
   * input 1 that in the second, and input `i` is `inputs[i - 2]`. Only matmul has it.
   */
  readonly halves?: true;
}

/** A norm of the rows of an operation's first input, done while they are read. Its own first input are those rows. */
export interface Prologue {
  readonly op: 'layerNorm' | 'rmsNorm';
  readonly attrs: Attrs;
  /** The norm's weight, and its bias where it has one. */
  readonly inputs: readonly View[];
  /** Where the normed rows are left as well, because other calls read them: contiguous, in the shape of the first input. */
  readonly output?: View;
}

/** A part of an operation's output that is written to rows of other memory as well, as `scatter` with `start` does. */
export interface Store {
  /** The part, as rows [I, ...R]: a view of the output in which no element occurs twice. */
  readonly from: View;
  readonly start: number | ScalarRef;
  /** The rows [V, ...R] that it is written to from row `start` on, rounded to their type; rows outside are dropped. */
  readonly output: View;
}

/** One operation with its arguments laid out: what a kernel is asked to do. */
export interface Call {
  readonly op: OpName;
  readonly attrs: Attrs;
  readonly inputs: readonly View[];
  /**
   * Contiguous from its offset on, except for `pointwise`, `copy` and `scatter`, which may write into a strided view.
   * It never overlaps an input of the same call.
   */
  readonly output: View;
  /** What lowering joined to the operation, for kernels that say they take it. `apart` says what that means. */
  readonly prologue?: Prologue;
  readonly epilogue?: Epilogue;
  readonly stores?: readonly Store[];
  /** Where in the model this comes from, e.g. `decoder.layers.0.self_attn`. */
  readonly label: string;
}

export type PlannedBuffer =
  /** Allocated and freed by the program. Its contents do not outlive a run. */
  | { readonly kind: 'temporary'; readonly bytes: number }
  /** Supplied by the caller when the program is loaded. */
  | {
      readonly kind: 'bound';
      readonly name: string;
      readonly role: Role;
      readonly bytes: number;
      readonly dtype: DType;
      readonly shape: Shape;
      /** How a parameter's values are stored; `bytes` counts them so. Default: as `dtype`. Only matmul and gather read such a one. */
      readonly stored?: Storage;
      /** The program copies it out at the end of every run, so that `Program.read(name)` costs no further submit. */
      readonly readback: boolean;
    };

/**
 * What a bound buffer is for. `parameter`: never written after the program was loaded, so a backend may keep a repacked
 * copy. `input`: written by the host between runs. `state`: kept and changed in place by runs. `output`: written by runs.
 */
export type Role = 'parameter' | 'input' | 'state' | 'output';

/** Something that lowering decided and a reader of the plan should know. */
export interface Note {
  readonly kind: 'decomposed' | 'fused' | 'copied';
  readonly op: OpName;
  readonly label: string;
  readonly detail: string;
}

export interface Scalar {
  readonly name: string;
  readonly dtype: ComputeType;
}

/** Most scalars a plan can have: they share one block of 64 bytes. */
export const maxScalars = 16;

export interface Plan {
  readonly name: string;
  readonly backend: string;
  readonly buffers: readonly PlannedBuffer[];
  readonly calls: readonly Call[];
  /** The numbers given on every run, in order. */
  readonly scalars: readonly Scalar[];
  readonly notes: readonly Note[];
}
