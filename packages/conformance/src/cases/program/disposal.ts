// What is over: disposal in every order, use after it, loads that fail, and devices that go away.
import { lower } from '@transept/tensor';
import type { Backend, Buffer, Program } from '@transept/tensor';
import { Unsupported } from '../../case.ts';
import type { ProgramCase } from '../../case.ts';
import { demand, doubling, programCase, ramp, same, Session, throws } from './session.ts';

export const disposalCases: readonly ProgramCase[] = [
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

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

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
