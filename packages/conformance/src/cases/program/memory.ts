// Memory: what alloc, write and read promise, and how buffers are bound.
import { lower, mul, sub, trace } from '@transept/tensor';
import type { ProgramCase } from '../../case.ts';
import { demand, doubling, programCase, ramp, same, Session, throws } from './session.ts';

export const memoryCases: readonly ProgramCase[] = [
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
];
