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
import { settle, sleepingHelpers } from './threads.ts';
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

test('a run does not wait for helpers that do not come', async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const instance = await WebAssembly.instantiate(await compileVariant('plain', true), { env: { memory } });
  const exports = instance.exports as unknown as KernelExports;
  const heap = new Heap(memory, 2 ** 20);
  const program = emptyProgram(heap, 30, 8);
  for (let i = 0; i < 1000; i++) exports.run(program);
  const done = heap.words[128 / 4];
  // 20 shared steps in 8 parts, and what the first thread does between them.
  expect(done).toBe(20 * 8 + 9);
});

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
