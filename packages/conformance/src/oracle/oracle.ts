// What a graph gives: every output and state after every run, exactly and with all that a correct device may have computed. The
// graph is lowered for the reference backend, fused operations kept whole, and its plan worked through in f64 with intervals
// instead of on memory.
import { expandStored, lower, reference } from '@transept/tensor';
import type { Arithmetic, Backend, Kernel, Plan, PlannedBuffer, Storage, TracedGraph } from '@transept/tensor';
import { exact, literal } from './bounded.ts';
import type { Bounded } from './bounded.ts';
import type { Cells } from './cells.ts';
import { cellsFor, evaluate } from './evaluate.ts';

export type Bound = Extract<PlannedBuffer, { kind: 'bound' }>;

/** The reference backend as `lower` sees it when fused calls are to stay whole and nothing is to be joined. */
const planner = ((): Backend => {
  const plain = reference({ memory: 'slots' });
  const whole: Kernel<never> = { prepare: () => undefined as never };
  const fused = {
    softmax: whole,
    logSoftmax: whole,
    layerNorm: whole,
    rmsNorm: whole,
    rope: whole,
    attention: whole,
    argmax: whole,
    crossEntropy: whole,
    crossEntropyGradient: whole,
  };
  const capabilities = { ...plain.capabilities, maxBindings: 0 };
  return { ...plain, capabilities, kernels: { ...plain.kernels, ...fused } } as unknown as Backend;
})();

/** Works through one graph; the state of its memory persists from run to run. */
export class Oracle {
  readonly plan: Plan;
  readonly #arithmetic: Arithmetic;
  readonly #cells: readonly Cells[];

  constructor(traced: TracedGraph, arithmetic: Arithmetic, stored: Readonly<Record<string, Storage>> = {}) {
    this.plan = lower(traced, planner, { stored: new Map(Object.entries(stored)) });
    this.#arithmetic = arithmetic;
    this.#cells = cellsFor(this.plan);
  }

  /** Elements of a buffer; the bytes of one that is stored otherwise. */
  write(name: string, values: ArrayLike<number>): void {
    const planned = this.plan.buffers.find((b): b is Bound => b.kind === 'bound' && b.name === name);
    this.#find(name)?.fill(planned?.stored ? expandStored(planned.stored, values as Uint8Array) : values);
  }

  run(scalars: readonly number[] = []): void {
    const scope = {
      plan: this.plan,
      memory: ({ buffer }: { buffer: number }) => this.#cells[buffer]!,
      scalars: boundedScalars(this.plan, scalars),
      arithmetic: this.#arithmetic,
      expUlps: 0,
    };
    for (const call of this.plan.calls) evaluate(call, scope);
  }

  /** The buffers that runs write: what is to be compared. */
  get written(): readonly Bound[] {
    return this.plan.buffers.filter(
      (b): b is Bound => b.kind === 'bound' && (b.role === 'output' || b.role === 'state'),
    );
  }

  read(name: string): Cells {
    return this.#find(name)!;
  }

  #find(name: string): Cells | undefined {
    return this.#cells[this.plan.buffers.findIndex((b) => b.kind === 'bound' && b.name === name)];
  }
}

export const boundedScalars = (plan: Plan, scalars: readonly number[]): Bounded[] =>
  scalars.map((s, i) => (plan.scalars[i]!.dtype === 'f32' ? literal(s) : exact(s)));
