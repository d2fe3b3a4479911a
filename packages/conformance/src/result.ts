// What the suite reports: one result a case, plain data.
import type { OpName } from '@transept/tensor';

export type Result = Passed | Failed | NotSupported;

interface Tried {
  /** The operation under test, `program` for what concerns programs as a whole, or a source's own name. */
  readonly op: string;
  readonly case: string;
  readonly milliseconds: number;
}

export interface Passed extends Tried {
  readonly outcome: 'pass';
  /** The largest distance from the exact value, as a part of its bound. */
  readonly closeness?: number;
  /** In mode `speed`. */
  readonly speed?: Speed;
  /** In mode `support`. */
  readonly support?: Support;
}

export interface Failed extends Tried {
  readonly outcome: 'fail';
  /** A sentence that says what is wrong. */
  readonly reason: string;
  readonly seed: number;
  /** The operation whose kernel is wrong when it runs by itself, or `program` where each of them is right by itself. */
  readonly culprit?: OpName | 'program';
  readonly wrong?: Wrong;
  /** For cases that were made at random: the calls of the smallest one found that fails as well, which the rest speaks of. */
  readonly smallest?: string;
}

export interface NotSupported extends Tried {
  readonly outcome: 'unsupported';
  readonly reason: string;
}

/** What can be told from wrong results about how they came about. */
export type Symptom = 'unwritten' | 'not a number' | 'transposed' | 'shifted' | 'scaled' | 'rounded to f16' | 'unknown';

export interface Wrong {
  /** The buffer, by its name in the graph. */
  readonly buffer: string;
  /** Which run of the case, from 0 on. */
  readonly run: number;
  /** The first wrong element. */
  readonly index: readonly number[];
  readonly received: number;
  readonly expected: number;
  readonly distance: number;
  readonly bound: number;
  /** How many elements are wrong, of how many. */
  readonly count: number;
  readonly of: number;
  readonly symptom: Symptom;
  /** More about the symptom: by how much shifted, by which factor scaled … */
  readonly detail: string;
}

export interface Speed {
  /** Of one run, the median of several. */
  readonly milliseconds: number;
  readonly gflops: number;
  /** Bytes of all tensors read and written, each once. */
  readonly gbps: number;
}

export type Joined = 'prologue' | 'epilogue' | 'halves' | 'stores';

export interface Support {
  /** `kernel`: the backend's own; `definition`: by other operations, for the reason given. */
  readonly by: 'kernel' | 'definition';
  readonly reason?: string;
  /** What was joined to the kernel: members of its calls. */
  readonly joined: readonly Joined[];
}
