import { blobs, CheckpointError } from '@transept/checkpoint';
import { MemoryError } from '@transept/tensor';
import { expect, test } from 'vitest';
import { run } from '../testing/terminal.ts';
import { fuzz } from './fuzz.ts';
import type { FuzzOptions } from './fuzz.ts';
import { mutateBytes, mutateJson } from './mutate.ts';
import { random } from './random.ts';

test('no changed file crashes, hangs or takes memory', async () => {
  const { code, stdout, stderr } = await run(['fuzz', '--seeds', '1000', '--json']);
  const report = JSON.parse(stdout) as { seeds: number; refused: number; findings: object[] };
  expect(report.findings).toEqual([]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  // Most changes are noticed, and not all: a byte of a weight is as good as another.
  expect(report.refused).toBeGreaterThan(600);
  expect(report.refused).toBeLessThan(1000);
});

const sample = { name: 's', files: blobs({ 'a.json': new Blob(['{"a": [1, "x"]}']) }), paths: ['a.json'] };
const found = async (open: NonNullable<FuzzOptions['open']>) =>
  (await fuzz({ samples: [sample], seed: 5, seeds: 1, slowMs: 200, open })).findings;

test('an error that names nothing, a pause and memory are findings; a named error is none', async () => {
  expect(await found(async () => [new CheckpointError('x')])).toEqual([]);
  expect(await found(async () => [new MemoryError('x', 1)])).toEqual([]);
  expect(await found(async () => [new TypeError('x is undefined')])).toMatchObject([
    {
      seed: 5,
      sample: 's',
      path: 'a.json',
      kind: 'error',
      detail: expect.stringMatching(/^TypeError: x is undefined at /),
    },
  ]);
  const busy = async (): Promise<[]> => {
    const began = process.cpuUsage();
    for (let x = 0; process.cpuUsage(began).user < 0.25e6;) for (let i = 0; i < 1e6; i++) x += Math.sqrt(i);
    return [];
  };
  expect(await found(busy)).toMatchObject([{ kind: 'slow' }]);
  let kept: Uint8Array | undefined;
  expect(await found(async () => ((kept = new Uint8Array(200e6)), []))).toMatchObject([{ kind: 'memory' }]);
  expect(kept).toHaveLength(200e6);
});

test('a seed repeats its change, and seeds differ', () => {
  const bytes = Uint8Array.from({ length: 500 }, (_, i) => i & 255);
  const text = JSON.stringify({ a: 1, b: { c: [1, 2, { d: 'x' }] } });
  const changed = Array.from({ length: 50 }, (_, seed) => String(mutateBytes(bytes, random(seed))));
  expect(changed).toEqual(Array.from({ length: 50 }, (_, seed) => String(mutateBytes(bytes, random(seed)))));
  expect(new Set(changed).size).toBeGreaterThan(45);
  const jsons = Array.from({ length: 50 }, (_, seed) => mutateJson(text, random(seed)));
  expect(jsons).toEqual(Array.from({ length: 50 }, (_, seed) => mutateJson(text, random(seed))));
  expect(new Set(jsons).size).toBeGreaterThan(30);
});
