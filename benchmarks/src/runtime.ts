// What the benchmark asks of a runtime: ours or a peer.
import type { Task } from './cpu/models.ts';
import type { Operator } from './cpu/operators.ts';
import type { Contender } from './measure.ts';

/** Something made ready to be timed, without the runtime's name. */
export type Prepared = Omit<Contender, 'name'>;

export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** One operator, its result read back into JavaScript. Undefined where the runtime has no such thing. */
  operator?(operator: Operator): Promise<Prepared | undefined>;
  /**
   * A model's task: an encoding, its hidden state read; or so many tokens of each row, where the time of a single row is that
   * from its first token to its last.
   */
  task?(task: Task): Promise<Prepared | undefined>;
  dispose?(): Promise<void> | void;
}
