// Threads that take part in runs: whoever is late is not waited for, whoever is idle sleeps, and nobody changes a bit.
import { lower, linear, softmax, trace } from '@transept/tensor';
import type { Backend, Program } from '@transept/tensor';
import { expect, test } from 'vitest';
import { createEngine } from './engine.ts';
import type { KernelExports } from './engine.ts';
import { cpu } from './index.ts';
import { Heap } from './memory.ts';
import { stepWords, writeProgram } from './replay.ts';
import { kernelNumbers } from './step.ts';
import { anyFailed, createHelpers, settle, sleepingHelpers } from './threads.ts';
import { compileVariant } from './variants.ts';

/** Resolves once it is so. Tests have a limit of time themselves. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A program of shared steps without work, of which `parts` of each are left to threads. */
function emptyProgram(heap: Heap, steps: number, parts: number): number {
  // softmax over no rows.
  const parameters = heap.allocate(4 * 32, 'parameters');
  const all = Array.from({ length: steps }, (_, i) => ({
    kernel: kernelNumbers.softmax,
    parameters,
    parts: i % 3 === 2 ? 1 : parts,
  }));
  const address = heap.allocate((steps + 1) * stepWords * 4, 'a program');
  heap.words.set(
    writeProgram(all, (bytes) => heap.allocate(bytes, 'claims')),
    address / 4,
  );
  return address;
}

test('helpers sleep when there is nothing to do, each of them', async () => {
  const { heap, exports, helpers } = await createEngine('plain', 4, 2 ** 26);
  await until(() => sleepingHelpers(heap.words) === 3);
  for (let i = 0; i < 50; i++) exports.run(emptyProgram(heap, 5, 4));
  await until(() => sleepingHelpers(heap.words) === 3);
  settle(heap.words);
  helpers!.dispose();
});

/** Kernels for several threads, of which there is one. */
async function withoutHelpers(): Promise<{ heap: Heap; exports: KernelExports }> {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const instance = await WebAssembly.instantiate(await compileVariant({ simd: 'plain', shared: true, wide: false }), {
    env: { memory },
  });
  return { heap: new Heap(memory, 2 ** 20, false), exports: instance.exports as unknown as KernelExports };
}

test('a run does not wait for helpers that do not come', async () => {
  const { heap, exports } = await withoutHelpers();
  const program = emptyProgram(heap, 30, 8);
  for (let i = 0; i < 1000; i++) exports.run(program);
  const done = heap.words[128 / 4];
  // 20 shared steps in 8 parts, and what the first thread does between them.
  expect(done).toBe(20 * 8 + 9);
});

test('a run ends when the thread fails that it waits for', async () => {
  const { heap, exports } = await withoutHelpers();
  const program = emptyProgram(heap, 1, 3);
  const [, , , claims, stride] = heap.words.subarray(program / 4);
  // All parts but its own were taken, as far as the first thread can see.
  for (const part of [1, 2]) heap.words[(claims! + part * stride!) / 4] = 2 ** 30;
  const { memory } = heap;
  const helpers = createHelpers(Promise.resolve({ module: new WebAssembly.Module(failing), memory }), 1);
  // Its worker has what it needs before this thread waits.
  await Promise.resolve();
  exports.run(program);
  expect(anyFailed(heap.words)).toBe(true);
  const { failed, dispose } = await helpers;
  expect((await failed).message).toMatch(/^cpu: thread 1 failed: .*unreachable/);
  dispose();
});

// prettier-ignore
const failing = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
  0x01, 0x05, 0x01, 0x60, 0x01, 0x7f, 0x00, // one type: i32 → ()
  0x03, 0x03, 0x02, 0x00, 0x00, // two functions of it
  0x07, 0x16, 0x02, // two exports
  0x0b, ...new TextEncoder().encode('setMaySleep'), 0x00, 0x00,
  0x04, ...new TextEncoder().encode('work'), 0x00, 0x01,
  0x0a, 0x08, 0x02, 0x02, 0x00, 0x0b, 0x03, 0x00, 0x00, 0x0b, // nothing; unreachable
]);

/** Layers of calls, shared and not, whose result depends on every one of them. */
async function layers(backend: Backend, width: number): Promise<{ run(): Promise<Uint8Array>; program: Program }> {
  const traced = trace('layers', (g) => {
    let x = softmax(g.input('x', [3, width]));
    for (let i = 0; i < 4; i++) x = softmax(linear(x, g.parameter(`w${i}`, [width, width])));
    return { y: x };
  });
  const plan = lower(traced, backend, { readback: ['y'] });
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b, seed) => {
      if (b.kind !== 'bound') return [];
      const buffer = backend.alloc(b.bytes);
      if (b.role !== 'output')
        backend.write(
          buffer,
          Float32Array.from({ length: b.bytes / 4 }, (_, i) => Math.sin(i * 12.9898 + seed)),
        );
      return [[b.name, buffer] as const];
    }),
  );
  const program = await backend.load(plan, bound);
  const run = async (): Promise<Uint8Array> => {
    program.run();
    return program.read('y');
  };
  return { run, program };
}

test('many runs of programs that come and go give the same bits on one thread and on more than there are cores', async () => {
  using one = await cpu({ threads: 1 });
  using many = await cpu({ threads: 5 });
  for (const width of [96, 128, 160]) {
    const expected = await (await layers(one, width)).run();
    for (let round = 0; round < 8; round++) {
      const { run, program } = await layers(many, width);
      for (let i = 0; i < 40; i++) expect(await run()).toEqual(expected);
      program[Symbol.dispose]();
    }
  }
});
