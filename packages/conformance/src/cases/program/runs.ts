// Many runs: state, scalars, order, and memory that is used again and again.
import { add, cast, copy, matmul, mul, slice, sub, sum, trace, transpose } from '@transept/tensor';
import type { Graph, Tensor, TracedGraph } from '@transept/tensor';
import type { ProgramCase } from '../../case.ts';
import { Oracle } from '../../oracle/oracle.ts';
import { Random } from '../../random.ts';
import { counting, demand, doubling, ones, programCase, ramp, same, Session, throws } from './session.ts';

export const runsCases: readonly ProgramCase[] = [
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
];

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
