// The conformance suite on our backends: all of it on the cpu backend, on one thread and two, with both kinds of SIMD; a sample of it
// on the slower ones. `transept conformance` runs all of it anywhere.
import { casesFor, isOpCase, runConformance } from '@transept/conformance';
import type { Case, ConformanceOptions } from '@transept/conformance';
import { cpu } from '@transept/cpu-backend';
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';
import { expect, test } from 'vitest';
import { webgpuFound } from '../e2e/devices.ts';

/** What failed, and how many passed. */
async function failuresOf(make: () => Backend | Promise<Backend>, options: ConformanceOptions = {}) {
  using backend = await make();
  const failures: string[] = [];
  let passed = 0;
  for await (const result of runConformance(backend, { fresh: make, ...options })) {
    if (result.outcome === 'pass') passed++;
    if (result.outcome === 'fail') failures.push(`${result.op}/${result.case}: ${result.reason}`);
  }
  return { failures, passed };
}

/** Every n-th case of the table. */
const sample = (n: number, first = 0): Case[] => casesFor({}).filter((c, i) => isOpCase(c) && i % n === first);
const programs = casesFor({}).filter((c) => !isOpCase(c));

test('reference', async () => {
  const { failures, passed } = await failuresOf(() => reference(), { cases: [...sample(3), ...programs] });
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(200);
});

test.each(['relaxed', 'plain'] as const)('cpu, %s SIMD, the same bits with one thread and two', async (simd) => {
  using twin = await cpu({ simd, threads: 2 });
  const { failures, passed } = await failuresOf(() => cpu({ simd, threads: 1 }), { twin });
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(650);
});

test('cpu with two threads', async () => {
  const { failures } = await failuresOf(() => cpu({ threads: 2 }), { cases: [...sample(4), ...programs] });
  expect(failures).toEqual([]);
});

test('cpu with 64-bit addresses, all of them beyond 4 GiB', async () => {
  const { failures, passed } = await failuresOf(async () => {
    const backend = await cpu({ simd: 'plain', threads: 2, maxBytes: 2 ** 32 + 2 ** 29 });
    for (let i = 0; i < 4; i++) backend.alloc(2 ** 30);
    return backend;
  });
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(650);
});

/** Why there is no WebGPU here. Where the script that started the tests found an adapter, not getting one is a failure. */
const missing = await webgpu().then(
  (backend) => backend[Symbol.dispose](),
  (error: Error) => error.message,
);
if (missing && webgpuFound) throw new Error(missing);

test.skipIf(missing)(`webgpu${missing ? `: ${missing}` : ''}`, async () => {
  const cases = [...sample(7), ...programs];
  const { failures, passed } = await failuresOf(() => webgpu(), { cases, breakable });
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(100);
});

test.skipIf(missing)('webgpu with the kernels for GPUs', async () => {
  const { failures, passed } = await failuresOf(() => webgpu({ target: { software: false } }), {
    cases: sample(20, 1),
  });
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(25);
});

test.skipIf(missing).each([true, false])('webgpu with keys and products in parts, software: %s', async (software) => {
  const target = { software, split: { workgroups: 4096, keys: 1, k: 32 } };
  const wide = casesFor({}).filter((c) => isOpCase(c) && !c.forSpeed && ['attention', 'matmul'].includes(c.op));
  const { failures, passed } = await failuresOf(() => webgpu({ target }), {
    cases: wide.filter((_, i) => i % (software ? 14 : 28) === 2),
  });
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(6);
});

/** A backend on a device that can be destroyed. */
async function breakable() {
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  const device = await adapter!.requestDevice();
  return { backend: await webgpu({ device }), lose: () => device.destroy() };
}
