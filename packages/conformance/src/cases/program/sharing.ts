// Several programs over the same buffers.
import { lower, sum, trace, linear } from '@transept/tensor';
import type { TracedGraph } from '@transept/tensor';
import type { ProgramCase } from '../../case.ts';
import { counting, doubling, ones, programCase, ramp, same, Session } from './session.ts';

export const sharingCases: readonly ProgramCase[] = [
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
];
