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

/** Every n-th case of the table, and all those of programs. */
const sample = (n: number): Case[] => casesFor({}).filter((c, i) => !isOpCase(c) || i % n === 0);

test('reference', async () => {
  const { failures, passed } = await failuresOf(() => reference(), { cases: sample(3) });
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
  const { failures } = await failuresOf(() => cpu({ threads: 2 }), { cases: sample(4) });
  expect(failures).toEqual([]);
});

test('webgpu', async ({ skip }) => {
  const make = () => webgpu();
  const missing = await make().then(
    (backend) => backend[Symbol.dispose](),
    (error: Error) => error,
  );
  if (missing && !webgpuFound) skip(missing.message);
  const { failures, passed } = await failuresOf(make, { cases: sample(6), breakable });
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(110);
});

/** A backend on a device that can be destroyed. */
async function breakable() {
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  const device = await adapter!.requestDevice();
  return { backend: await webgpu({ device }), lose: () => device.destroy() };
}
