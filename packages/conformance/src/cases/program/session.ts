// A plan with buffers of its own, and small programs that the cases share.
import { lower, pointwise, expr, scatter, trace } from '@transept/tensor';
import type { Backend, Buffer, LowerOptions, Plan, Program, TracedGraph } from '@transept/tensor';
import type { ProgramCase } from '../../case.ts';

export const programCase = (name: string, run: ProgramCase['run']): ProgramCase => ({ op: 'program', name, run });

type Values = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** A plan with buffers of its own, which `contents` fills. */
export class Session implements Disposable {
  readonly backend: Backend;
  readonly plan: Plan;
  readonly buffers: Readonly<Record<string, Buffer>>;
  readonly program: Program;
  readonly #owned: DisposableStack;

  private constructor(
    backend: Backend,
    plan: Plan,
    buffers: Record<string, Buffer>,
    program: Program,
    owned: DisposableStack,
  ) {
    this.backend = backend;
    this.plan = plan;
    this.buffers = buffers;
    this.program = program;
    this.#owned = owned;
  }

  static async open(
    backend: Backend,
    traced: TracedGraph,
    contents: Readonly<Record<string, Values>> = {},
    options?: LowerOptions,
  ): Promise<Session> {
    using stack = new DisposableStack();
    const plan = lower(traced, backend, options);
    const buffers = allocate(backend, plan, stack);
    for (const [name, values] of Object.entries(contents)) backend.write(buffers[name]!, values);
    const program = stack.use(await backend.load(plan, buffers));
    return new Session(backend, plan, buffers, program, stack.move());
  }

  async floats(name: string): Promise<Float32Array> {
    return new Float32Array((await this.backend.read(this.buffers[name]!)).buffer);
  }

  async integers(name: string): Promise<Int32Array> {
    return new Int32Array((await this.backend.read(this.buffers[name]!)).buffer);
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

function allocate(backend: Backend, plan: Plan, stack: DisposableStack): Record<string, Buffer> {
  const buffers: Record<string, Buffer> = {};
  for (const b of plan.buffers) if (b.kind === 'bound') buffers[b.name] = stack.use(backend.alloc(b.bytes));
  return buffers;
}

export function same(what: string, received: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (received.length !== expected.length)
    throw new Error(`${what}: ${received.length} elements, expected ${expected.length}`);
  for (let i = 0; i < received.length; i++)
    if (received[i] !== expected[i]) throw new Error(`${what}[${i}] is ${received[i]}, expected ${expected[i]}`);
}

export function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** See that something throws, or rejects. */
export async function throws(what: string, action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    demand(error instanceof Error, `${what}: it throws ${String(error)}, which is no Error`);
    return;
  }
  throw new Error(`${what}: it should throw, and does not`);
}

export const counting = (rows = 4): TracedGraph =>
  trace('counting', (g) => {
    const state = g.state('state', [rows, 8], 'i32');
    scatter(state, g.scalar('row'), g.input('step', [1, 8], 'i32'), { mode: 'add' });
    return {};
  });

/** y = 2 x + a scalar. */
export const doubling = (size = 16): TracedGraph =>
  trace('doubling', (g) => ({
    y: pointwise(
      expr.apply('add', expr.apply('mul', expr.input(0), expr.constant(2)), {
        kind: 'scalar',
        scalar: g.scalar('more', 'f32').scalar,
      }),
      [g.input('x', [size])],
    ),
  }));

export const ramp = (size: number, from = 0): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: size }, (_, i) => i + from);
export const ones = (size: number): Int32Array<ArrayBuffer> => new Int32Array(size).fill(1);
