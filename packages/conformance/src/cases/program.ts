// What concerns programs and memory as a whole: state, reuse of memory, many runs, sharing, disposal, and devices that go away.
import {
  add,
  cast,
  copy,
  lower,
  matmul,
  mul,
  pointwise,
  expr,
  scatter,
  slice,
  sub,
  sum,
  trace,
  transpose,
  linear,
} from '@transept/tensor';
import type { Backend, Buffer, Graph, LowerOptions, Plan, Program, Tensor, TracedGraph } from '@transept/tensor';
import { Unsupported } from '../case.ts';
import type { ProgramCase } from '../case.ts';
import { Oracle } from '../oracle/oracle.ts';
import { Random } from '../random.ts';

const programCase = (name: string, run: ProgramCase['run']): ProgramCase => ({ op: 'program', name, run });

type Values = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** A plan with buffers of its own, which `contents` fills. */
class Session implements Disposable {
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

function same(what: string, received: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (received.length !== expected.length)
    throw new Error(`${what}: ${received.length} elements, expected ${expected.length}`);
  for (let i = 0; i < received.length; i++)
    if (received[i] !== expected[i]) throw new Error(`${what}[${i}] is ${received[i]}, expected ${expected[i]}`);
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** See that something throws, or rejects. */
async function throws(what: string, action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    demand(error instanceof Error, `${what}: it throws ${String(error)}, which is no Error`);
    return;
  }
  throw new Error(`${what}: it should throw, and does not`);
}

const counting = (rows = 4): TracedGraph =>
  trace('counting', (g) => {
    const state = g.state('state', [rows, 8], 'i32');
    scatter(state, g.scalar('row'), g.input('step', [1, 8], 'i32'), { mode: 'add' });
    return {};
  });

/** y = 2 x + a scalar. */
const doubling = (size = 16): TracedGraph =>
  trace('doubling', (g) => ({
    y: pointwise(
      expr.apply('add', expr.apply('mul', expr.input(0), expr.constant(2)), {
        kind: 'scalar',
        scalar: g.scalar('more', 'f32').scalar,
      }),
      [g.input('x', [size])],
    ),
  }));

const ramp = (size: number, from = 0): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: size }, (_, i) => i + from);
const ones = (size: number): Int32Array<ArrayBuffer> => new Int32Array(size).fill(1);

export const programCases: readonly ProgramCase[] = [
  programCase('new memory is full of zeros, used memory as well', async (backend) => {
    for (let i = 0; i < 3; i++) {
      using buffer = backend.alloc(4096);
      same('memory', new Int32Array((await backend.read(buffer)).buffer), new Int32Array(1024));
      backend.write(buffer, new Int32Array(1024).fill(-1));
    }
  }),

  programCase('parts of a buffer written and read', async (backend) => {
    using buffer = backend.alloc(64);
    backend.write(buffer, Int32Array.of(1, 2, 3, 4), 16);
    backend.write(buffer, Int32Array.of(9, 9, 5, 6, 9).subarray(2, 4), 40);
    backend.write(buffer, new Int32Array(0), 64);
    same('all', new Int32Array((await backend.read(buffer)).buffer), [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 0, 0, 0, 0]);
    same('a part', new Int32Array((await backend.read(buffer, 20, 8)).buffer), [2, 3]);
    same('the rest', new Int32Array((await backend.read(buffer, 40)).buffer), [5, 6, 0, 0, 0, 0]);
    same('nothing', await backend.read(buffer, 64, 0), []);
    const copied = await backend.read(buffer);
    copied.fill(7);
    same('all, after its copy was changed', new Int32Array((await backend.read(buffer, 16, 4)).buffer), [1]);
    await throws('write beyond the end', () => backend.write(buffer, new Int32Array(4), 56));
    await throws('read beyond the end', () => backend.read(buffer, 60, 8));
    await throws('read from before the beginning', () => backend.read(buffer, -4, 4));
  }),

  programCase('impossible sizes are refused and take nothing', async (backend) => {
    const { bytes } = backend.memory;
    for (const size of [-1, 1.5, NaN, 2 ** 45]) await throws(`alloc(${size})`, () => backend.alloc(size));
    demand(
      backend.memory.bytes === bytes,
      `memory in use went from ${bytes} to ${backend.memory.bytes} bytes by allocations that failed`,
    );
    using none = backend.alloc(0);
    demand(none.bytes === 0, `alloc(0) gives ${none.bytes} bytes`);
  }),

  programCase('state changed in place, run after run', async (backend) => {
    using session = await Session.open(backend, counting(), { step: ones(8) });
    const expected = new Int32Array(32);
    for (let run = 0; run < 50; run++) {
      const row = (run * 7) % 5; // row 4 lies outside
      session.program.run([row]);
      if (row < 4) for (let i = 0; i < 8; i++) expected[8 * row + i]!++;
      if (run % 17 === 0) same(`state after run ${run}`, await session.integers('state'), expected);
    }
    same('state', await session.integers('state'), expected);
  }),

  programCase('10,000 runs', async (backend) => {
    using session = await Session.open(backend, counting(), { step: ones(8) });
    const expected = new Int32Array(32);
    for (let run = 0; run < 10_000; run++) {
      session.program.run([run & 3]);
      if (run % 500 === 0) await session.backend.read(session.buffers['state']!, 0, 4);
    }
    expected.fill(2500);
    same('state', await session.integers('state'), expected);
    const { bytes } = backend.memory;
    for (let run = 0; run < 1000; run++) session.program.run([3]);
    expected.fill(3500, 24);
    same('state', await session.integers('state'), expected);
    demand(
      backend.memory.bytes === bytes,
      `memory in use grows with runs: ${bytes} bytes, then ${backend.memory.bytes}`,
    );
  }),

  programCase('memory reused under pressure', async (backend, { seed }) => {
    const traced = pressure(seed);
    const contents = Int32Array.from({ length: 12 * 12 }, (_, i) => i * 7919 - 300);
    const oracle = new Oracle(traced, 'ieee');
    oracle.write('x', contents);
    oracle.run();
    using session = await Session.open(backend, traced, { x: contents });
    const temporaries = session.plan.buffers.reduce((n, b) => n + (b.kind === 'temporary' ? b.bytes : 0), 0);
    for (let run = 0; run < 3; run++) {
      session.program.run();
      for (const { name } of oracle.written)
        same(`${name}, temporaries in ${temporaries} bytes`, await session.integers(name), oracle.read(name).value);
    }
  }),

  programCase('runs, writes and reads happen in the order of the calls', async (backend) => {
    using session = await Session.open(backend, doubling(), { x: ramp(16) });
    const { program, buffers } = session;
    program.run([1]);
    const first = session.floats('y');
    backend.write(buffers['x']!, ramp(16, 100));
    program.run([2]);
    const second = session.floats('y');
    backend.write(buffers['x']!, ramp(16, 1000));
    program.run([3]);
    program.run([4]);
    const [one, two] = await Promise.all([first, second]);
    same(
      'after the first run',
      one,
      ramp(16).map((x) => 2 * x + 1),
    );
    same(
      'after the second run',
      two,
      ramp(16, 100).map((x) => 2 * x + 2),
    );
    same(
      'after the last run',
      await session.floats('y'),
      ramp(16, 1000).map((x) => 2 * x + 4),
    );
  }),

  programCase('results are copied out with the run that made them', async (backend) => {
    using session = await Session.open(backend, doubling(), { x: ramp(16) }, { readback: ['y'] });
    const reads: Promise<Uint8Array<ArrayBuffer>>[] = [];
    for (let run = 0; run < 6; run++) {
      session.program.run([run]);
      reads.push(session.program.read('y'));
    }
    for (const [run, bytes] of (await Promise.all(reads)).entries())
      same(
        `y of run ${run}`,
        new Float32Array(bytes.buffer),
        ramp(16).map((x) => 2 * x + run),
      );
    same(
      'y, read once more',
      new Float32Array((await session.program.read('y')).buffer),
      ramp(16).map((x) => 2 * x + 5),
    );
    await throws('read of what was not planned', () => session.program.read('x'));
  }),

  programCase('two programs share buffers', async (backend) => {
    using writer = await Session.open(backend, counting(), { step: ones(8) });
    const traced = trace('reading', (g) => ({ total: sum(g.input('state', [4, 8], 'i32'), { axes: [0] }) }));
    using stack = new DisposableStack();
    const total = stack.use(backend.alloc(32));
    const reader = stack.use(await backend.load(lower(traced, backend), { state: writer.buffers['state']!, total }));
    for (let run = 1; run <= 20; run++) {
      writer.program.run([run % 4]);
      reader.run();
      if (run % 5 === 0)
        same(`total after run ${run}`, new Int32Array((await backend.read(total)).buffer), new Int32Array(8).fill(run));
    }
  }),

  programCase('programs that share parameters keep them when one goes', async (backend) => {
    const build = (rows: number): TracedGraph =>
      trace('linear', (g) => ({ y: linear(g.input('x', [rows, 24]), g.parameter('w', [10, 24])) }));
    using stack = new DisposableStack();
    const w = stack.use(backend.alloc(960));
    backend.write(w, ramp(240));
    const [x, y] = [stack.use(backend.alloc(5 * 96)), stack.use(backend.alloc(5 * 40))];
    backend.write(x, new Float32Array(120).fill(1));
    const expected = Float32Array.from({ length: 10 }, (_, n) => 24 * 24 * n + 276);
    const few = await backend.load(lower(build(1), backend), { w, x, y });
    const many = stack.use(await backend.load(lower(build(5), backend), { w, x, y }));
    few.run();
    same('y of one row', new Float32Array((await backend.read(y, 0, 40)).buffer), expected);
    few[Symbol.dispose]();
    using other = backend.alloc(4000);
    backend.write(other, new Float32Array(1000).fill(NaN));
    many.run();
    same('the last row of five', new Float32Array((await backend.read(y, 160, 40)).buffer), expected);
  }),

  programCase('one plan with other parameters', async (backend) => {
    const traced = trace('linear', (g) => ({ y: linear(g.input('x', [1, 24]), g.parameter('w', [10, 24])) }));
    const x = new Float32Array(24).fill(1);
    using a = await Session.open(backend, traced, { x, w: new Float32Array(240).fill(1) });
    using b = await Session.open(backend, traced, { x, w: new Float32Array(240).fill(2) });
    a.program.run();
    b.program.run();
    same('the first', await a.floats('y'), new Float32Array(10).fill(24));
    same('the second', await b.floats('y'), new Float32Array(10).fill(48));
  }),

  programCase('one plan loaded twice', async (backend) => {
    using a = await Session.open(backend, doubling(), { x: ramp(16) });
    using b = await Session.open(backend, doubling(), { x: ramp(16, 50) });
    a.program.run([1]);
    b.program.run([2]);
    a.program.run([3]);
    same(
      'the first',
      await a.floats('y'),
      ramp(16).map((x) => 2 * x + 3),
    );
    same(
      'the second',
      await b.floats('y'),
      ramp(16, 50).map((x) => 2 * x + 2),
    );
  }),

  programCase('buffers of one size are told apart by name', async (backend) => {
    const traced = trace('names', (g) => ({
      difference: sub(g.input('zeta', [8]), g.input('alpha', [8])),
      quotient: mul(g.parameter('mid', [8]), 3),
    }));
    using session = await Session.open(backend, traced, { zeta: ramp(8, 100), alpha: ramp(8), mid: ramp(8, 7) });
    session.program.run();
    same('difference', await session.floats('difference'), new Float32Array(8).fill(100));
    same(
      'quotient',
      await session.floats('quotient'),
      ramp(8, 7).map((x) => 3 * x),
    );
  }),

  programCase('larger buffers than planned', async (backend) => {
    using stack = new DisposableStack();
    const [x, y] = [stack.use(backend.alloc(256)), stack.use(backend.alloc(512))];
    backend.write(y, new Float32Array(128).fill(-5));
    backend.write(x, ramp(64));
    const program = stack.use(await backend.load(lower(doubling(), backend), { x, y }));
    program.run([0]);
    const all = new Float32Array((await backend.read(y)).buffer);
    same(
      'what was planned',
      all.subarray(0, 16),
      ramp(16).map((v) => 2 * v),
    );
    same('what lies behind', all.subarray(16), new Float32Array(112).fill(-5));
  }),

  programCase('loads that cannot work are rejected and leave nothing', async (backend) => {
    using stack = new DisposableStack();
    const plan = lower(doubling(), backend);
    const [x, y, short] = [64, 64, 32].map((bytes) => stack.use(backend.alloc(bytes))) as [Buffer, Buffer, Buffer];
    const { bytes } = backend.memory;
    await throws('load without a buffer', () => backend.load(plan, { x }));
    await throws('load with a buffer too small', () => backend.load(plan, { x, y: short }));
    await throws('load that was aborted', () => backend.load(plan, { x, y }, { signal: AbortSignal.abort() }));
    const gone = backend.alloc(64);
    gone[Symbol.dispose]();
    await throws('load with a disposed buffer', () => backend.load(plan, { x, y: gone }));
    demand(
      backend.memory.bytes === bytes,
      `memory in use went from ${bytes} to ${backend.memory.bytes} bytes by loads that failed`,
    );
    x[Symbol.dispose](); // nothing uses it
  }),

  programCase('scalars that do not fit are refused', async (backend) => {
    using session = await Session.open(backend, doubling(), { x: ramp(16) });
    await throws('run without its scalar', () => session.program.run());
    await throws('run with a scalar too many', () => session.program.run([1, 2]));
    session.program.run([1]);
    same(
      'y',
      await session.floats('y'),
      ramp(16).map((x) => 2 * x + 1),
    );
  }),

  programCase('use after dispose', async (backend) => {
    using stack = new DisposableStack();
    const [x, y] = [stack.use(backend.alloc(64)), stack.use(backend.alloc(64))];
    const program = await backend.load(lower(doubling(), backend, { readback: ['y'] }), { x, y });
    program.run([1]);
    program[Symbol.dispose]();
    program[Symbol.dispose]();
    await throws('run of a disposed program', () => program.run([1]));
    await throws('read of a disposed program', () => program.read('y'));
    const gone = backend.alloc(64);
    gone[Symbol.dispose]();
    gone[Symbol.dispose]();
    await throws('write to a disposed buffer', () => backend.write(gone, ramp(16)));
    await throws('read of a disposed buffer', () => backend.read(gone));
  }),

  programCase('a buffer in use is not disposed', async (backend) => {
    using session = await Session.open(backend, doubling(), { x: ramp(16) });
    for (const name of ['x', 'y'])
      await throws(`dispose of "${name}", which a program uses`, () => session.buffers[name]![Symbol.dispose]());
    session.program.run([5]);
    same(
      'y',
      await session.floats('y'),
      ramp(16).map((x) => 2 * x + 5),
    );
  }),

  programCase('disposal in every order gives all memory back', async (backend) => {
    const start = backend.memory.bytes;
    for (const order of permutations([0, 1, 2, 3])) {
      const [x, y] = [backend.alloc(64), backend.alloc(64)];
      backend.write(x, ramp(16));
      const programs: Program[] = [];
      for (let i = 0; i < 2; i++) programs.push(await backend.load(lower(doubling(), backend), { x, y }));
      for (const program of programs) program.run([1]);
      const things = [...programs, x, y];
      for (const which of order) {
        const used = which >= 2 && order.slice(0, order.indexOf(which)).filter((i) => i < 2).length < 2;
        if (used) await throws('dispose of a buffer that a program uses', () => things[which]![Symbol.dispose]());
        else things[which]![Symbol.dispose]();
      }
      for (const thing of things) thing[Symbol.dispose]();
      demand(
        backend.memory.bytes === start,
        `memory in use went from ${start} to ${backend.memory.bytes} bytes, disposed in order ${order.join()}`,
      );
    }
    demand(
      backend.memory.peak >= start + 128,
      `the most memory there was is ${backend.memory.peak} bytes; at least ${start + 128} were in use`,
    );
  }),

  programCase('what is bound lives on when its program goes', async (backend) => {
    using stack = new DisposableStack();
    const [x, y] = [stack.use(backend.alloc(64)), stack.use(backend.alloc(64))];
    backend.write(x, ramp(16));
    const program = await backend.load(lower(doubling(), backend), { x, y });
    program.run([1]);
    program[Symbol.dispose]();
    same('x', new Float32Array((await backend.read(x)).buffer), ramp(16));
    same(
      'y',
      new Float32Array((await backend.read(y)).buffer),
      ramp(16).map((v) => 2 * v + 1),
    );
  }),

  programCase('a program of nothing', async (backend) => {
    const traced = trace('nothing', (g: Graph) => ({ y: copy(g.input('x', [0, 4])) }));
    using session = await Session.open(backend, traced);
    session.program.run();
    demand(
      session.program.dispatches === 0,
      `a program without calls says that it has ${session.program.dispatches} dispatches`,
    );
    await backend.read(session.buffers['y'] ?? backend.alloc(0));
  }),

  programCase('a long program, its kernels in order', async (backend) => {
    const traced = trace('chain', (g) => {
      let x = g.input('x', [9, 9]);
      for (let i = 0; i < 30; i++) x = matmul(transpose(x), g.parameter('shift', [9, 9]));
      return { y: x };
    });
    // A permutation matrix: every step moves elements and changes none.
    const shift = Float32Array.from({ length: 81 }, (_, i) => Number((Math.floor(i / 9) + 1) % 9 === i % 9));
    let [expected, next] = [ramp(81), new Float32Array(81)];
    for (let step = 0; step < 30; step++) {
      for (let i = 0; i < 9; i++) for (let j = 0; j < 9; j++) next[i * 9 + ((j + 1) % 9)] = expected[j * 9 + i]!;
      [expected, next] = [next, expected];
    }
    using session = await Session.open(backend, traced, { x: ramp(81), shift });
    for (let run = 0; run < 3; run++) {
      session.program.run();
      same(`y of run ${run}`, await session.floats('y'), expected);
    }
  }),

  programCase('the backend is disposed of in the middle', async (_, { fresh }) => {
    if (!fresh) throw new Unsupported('nobody said how to make another backend, which this case disposes of');
    const backend = await fresh();
    await goesAway(backend, () => backend[Symbol.dispose]());
  }),

  programCase('the device is lost in the middle', async (_, { breakable }) => {
    if (!breakable) throw new Unsupported('nobody said how to take the device away');
    const { backend, lose } = await breakable();
    await goesAway(backend, lose);
    const lost = await settled(backend.lost);
    demand(
      lost instanceof Error,
      lost === late ? '`lost` does not resolve' : `\`lost\` resolves to ${String(lost)}; expected an Error`,
    );
  }),
];

/** Whatever takes a device away, pending reads settle, later calls throw, and disposing still works. */
async function goesAway(backend: Backend, takeAway: () => void | Promise<void>): Promise<void> {
  const plan = lower(doubling(), backend);
  const [x, y] = [backend.alloc(64), backend.alloc(64)];
  const program = await backend.load(plan, { x, y });
  program.run([1]);
  const pending = backend.read(y).then(
    () => undefined,
    (error: unknown) => error,
  );
  await takeAway();
  const read = await settled(pending);
  demand(read !== late, 'a pending read never settles');
  demand(read === undefined || read instanceof Error, `a pending read rejects with ${String(read)}; expected an Error`);
  await throws('alloc without a device', () => backend.alloc(4));
  await throws('write without a device', () => backend.write(x, ramp(16)));
  await throws('read without a device', () => backend.read(y));
  await throws('load without a device', () => backend.load(plan, { x, y }));
  await throws('run without a device', () => program.run([1]));
  program[Symbol.dispose]();
  for (const buffer of [x, y]) buffer[Symbol.dispose]();
  backend[Symbol.dispose]();
}

const late = Symbol('late');

/** What a promise gives, or `late` after five seconds. */
function settled<T>(promise: Promise<T>): Promise<T | typeof late> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const after = new Promise<typeof late>((resolve) => (timer = setTimeout(resolve, 5000, late)));
  return Promise.race([promise, after]).finally(() => clearTimeout(timer));
}

/** Whole numbers through many small kernels, each result read several times, long after it was made. */
function pressure(seed: number): TracedGraph {
  const random = new Random(seed);
  return trace('pressure', (g) => {
    const values: Tensor[] = [g.input('x', [12, 12], 'i32')];
    const pick = (): Tensor => values[Math.floor(values.length * Math.sqrt(random.unit()))]!;
    for (let i = 0; i < 40; i++) {
      const [a, b] = [pick(), pick()];
      const kind = random.integer(0, 4);
      if (kind === 0) values.push(copy(transpose(a)));
      else if (kind === 1) values.push(add(mul(a, 3), transpose(b)));
      else if (kind === 2) values.push(sub(a, sum(b, { axes: [1] })));
      else if (kind === 3) values.push(add(sum(a, { axes: [0] }), b));
      else values.push(add(a, cast(cast(slice(b, 1, 0, 1), 'u32'), 'i32')));
    }
    const [p, q] = [values.at(-1)!, values.slice(-12, -1).reduce((a, b) => add(a, b))];
    return { p: add(p, 0), q };
  });
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}
