// What a case is: a graph of one operation, or a few, with contents for its buffers. The oracle works out what has to come of it
// and how far off it may be, so a case states neither. Program cases are procedures of their own.
import type { Backend, Graph, Storage, Tensor } from '@transept/tensor';
import type { Fill } from './random.ts';

/** Contents of a bound buffer: element by element, or all of them. */
export type Contents = Fill | ArrayLike<number>;

export interface OpCase {
  /** The operation that is tested: one of ours, or a name of the case's source, such as `onnx:Softmax`. */
  readonly op: string;
  /** Unique among the cases of the operation. */
  readonly name: string;
  /** Returns the outputs; states that it writes are compared as well. */
  build(g: Graph): Readonly<Record<string, Tensor>>;
  /** Contents of inputs, parameters and states by name. Default: f32 in [−1, 1), integers in [−9, 9]. */
  readonly contents?: Readonly<Record<string, Contents>>;
  /** Parameters whose values are stored otherwise, by name. Default contents: random blocks. */
  readonly stored?: Readonly<Record<string, Storage>>;
  /** Scalars of successive runs, which are compared one by one. Default: one run without scalars. */
  readonly runs?: readonly (readonly number[])[];
  /** What another engine gives for outputs, after the last run. The oracle has to agree with it within `tolerance`. */
  readonly expected?: Readonly<Record<string, ArrayLike<number>>>;
  /** How exact `expected` is. Default: 10⁻⁵ relative to the size of the value, and 10⁻⁶. */
  readonly tolerance?: { readonly relative: number; readonly absolute: number };
  /** Where bound buffers begin in the memory that they are given: at a round position, or at one nothing is aligned to. */
  readonly start?: 'aligned' | 'odd';
  /** Smaller cases of the kind, to be tried where this one fails. */
  smaller?(): Iterable<OpCase>;
  /** Runs only where NaN and infinities count, which WGSL does not promise. */
  readonly special?: true;
  /** Of a size that is worth measuring, and too large for the oracle: only mode `speed` runs it. */
  readonly forSpeed?: true;
}

/** What a program case may use besides the backend. */
export interface ProgramTools {
  readonly seed: number;
  /** A backend of its own, which the case may dispose or break; undefined where the suite was given only one. */
  readonly fresh: (() => Backend | Promise<Backend>) | undefined;
  /** A backend of its own with a way to take its device away; undefined where nobody said how. */
  readonly breakable: (() => Promise<Breakable>) | undefined;
}

/** A backend whose device can be lost on purpose. */
export interface Breakable {
  readonly backend: Backend;
  lose(): void | Promise<void>;
}

export interface ProgramCase {
  readonly op: 'program';
  readonly name: string;
  /** Throws an Error that says what is wrong, or an `Unsupported` where the case cannot be tried. */
  run(backend: Backend, tools: ProgramTools): Promise<void>;
}

export type Case = OpCase | ProgramCase;

/** Cases that come from elsewhere, and what there is no case for. */
export interface CaseSource {
  readonly cases: readonly OpCase[];
  readonly outOfScope: readonly OutOfScope[];
}

/** Something a source has that means nothing for Transformers, named once. */
export interface OutOfScope {
  readonly name: string;
  readonly reason: string;
}

/** Thrown by a case that cannot be tried here. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

export const isOpCase = (c: Case): c is OpCase => 'build' in c;

/** `op/name`, as options and reports write it. */
export const titleOf = (c: Pick<Case, 'op' | 'name'>): string => `${c.op}/${c.name}`;
