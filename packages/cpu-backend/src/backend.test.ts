// What holds for the backend as a whole: threads that sleep, steps that leave nothing behind, plans that say how they run.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BackendError, formatPlan, gather, layerNorm, linear, lower, softmax, trace } from '@transept/tensor';
import type { Backend, Plan, Program, Storage } from '@transept/tensor';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { cpu } from './index.ts';
import type { LoadedProgram } from './index.ts';

/** A layer's worth of calls: some that threads share, some too small for it. */
const planFor = (backend: Backend, storage?: Storage): Plan => {
  const traced = trace('layer', (g) => {
    const table = g.parameter('table', [640, 256]);
    const x = gather(table, g.input('ids', [1], 'i32'));
    const hidden = layerNorm(x, g.parameter('norm.weight', [256]), g.parameter('norm.bias', [256]), 1e-5);
    return { y: softmax(linear(linear(hidden, g.parameter('w', [256, 256])), table)) };
  });
  return lower(traced, backend, storage ? { stored: new Map([['table', storage]]) } : {});
};

async function loadBlank(backend: Backend, plan: Plan): Promise<Program> {
  const buffers = plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, backend.alloc(b.bytes)] as const] : []));
  return backend.load(plan, Object.fromEntries(buffers));
}

test('a plan says which way every call takes', async () => {
  using backend = await cpu({ threads: 2 });
  const text = formatPlan(planFor(backend, 'q8'), backend);
  expect(text).toContain('[q8 rows, one thread]');
  expect(text).toContain('[f32 panels, tiles of 1×32, shared by threads]');
  expect(text).toContain('[q8 panels times rows in 16 bits, tiles of 1×8, shared by threads]');
  expect(formatPlan(planFor(backend))).not.toContain('panels');
  using alone = await cpu({ threads: 1 });
  expect(formatPlan(planFor(alone), alone)).not.toContain('shared');
});

test.each([1, 2])('taking the time of each call, on %i threads, leaves nothing behind', async (threads) => {
  using backend = await cpu({ threads });
  const plan = planFor(backend);
  using program = (await loadBlank(backend, plan)) as LoadedProgram;
  program.run();
  const { bytes } = backend.memory;
  const times = program.timeCalls(5);
  expect(times).toHaveLength(plan.calls.length);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
  expect(backend.memory.bytes).toBe(bytes);
  program.run();
});

test.each([1, 2])('10,000 runs on %i threads leave nothing in the heap', async (threads) => {
  using backend = await cpu({ threads });
  using program = await loadBlank(backend, planFor(backend, 'q4'));
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) program.run();
  };
  run(1000);
  const { bytes } = backend.memory;
  const before = heapUsed();
  run(10_000);
  // Less than a byte a run: what the test itself leaves.
  expect(heapUsed() - before).toBeLessThan(10_000);
  expect(backend.memory.bytes).toBe(bytes);
});

test.each([
  [1, 1],
  [2, 2],
  [3, 3],
  [64, 4],
])('by itself it takes, where the machine has %i processors, %i threads', async (hardwareConcurrency, threads) => {
  vi.stubGlobal('navigator', { hardwareConcurrency });
  onTestFinished(() => void vi.unstubAllGlobals());
  using backend = await cpu();
  expect(backend.capabilities.details).toMatchObject({ threads });
});

describe.each<[how: string, refused: new () => object]>([
  [
    'at once',
    class {
      constructor() {
        throw new Error('refused by the policy');
      }
    },
  ],
  [
    'later',
    class {
      onerror: ((event: object) => void) | undefined;
      constructor() {
        setTimeout(() => this.onerror?.({ message: 'refused by the policy' }));
      }
      postMessage(): void {}
      terminate(): void {}
    },
  ],
])('in a page that lets no worker start, and says so %s,', (_, refused) => {
  beforeEach(() => {
    const { getBuiltinModule } = process;
    vi.spyOn(process, 'getBuiltinModule').mockImplementation((name: string) =>
      name === 'node:worker_threads' ? undefined : (getBuiltinModule as (name: string) => object | undefined)(name),
    );
    vi.stubGlobal('Worker', refused);
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
  });
  afterEach(() => void vi.restoreAllMocks().unstubAllGlobals());

  test('there is one thread, and the reason', async () => {
    using backend = await cpu();
    expect(backend.capabilities.details).toMatchObject({
      threads: 1,
      'why one thread': 'cpu: thread 1 failed: refused by the policy',
    });
    using program = await loadBlank(backend, planFor(backend));
    program.run();
  });

  test('threads that are asked for are missed', async () => {
    const refusal = cpu({ threads: 2 });
    await expect(refusal).rejects.toThrow('cpu: thread 1 failed: refused by the policy');
    await expect(refusal).rejects.toThrow(BackendError);
  });
});

/** Bytes in use after everything that could be collected was. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
