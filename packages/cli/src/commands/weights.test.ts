import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { expect, test } from 'vitest';
import { run } from '../testing/terminal.ts';

/** A backend that takes some storages of weights. */
const taking = (...weights: ('f16' | 'q8')[]): { backends: Record<string, () => Backend> } => ({
  backends: {
    some: () => {
      const backend = reference();
      return { ...backend, name: 'some', capabilities: { ...backend.capabilities, weights: new Set(weights) } };
    },
  },
});

test('weights are stored as asked for, and the plan says so', async () => {
  const plan = ['plan', '--backend', 'some', '--rows', '1', '--length', '4'];
  expect((await run(plan, taking('f16'))).stdout).not.toMatch(/parameter f16/);
  expect((await run([...plan, '--weights', 'f16'], taking('f16'))).stdout).toMatch(/parameter f16 \[6001, 256\]/);
});

test('a storage that the backend does not take is refused by name', async () => {
  const { code, stderr } = await run(
    ['translate', '--backend', 'some', '--weights', 'q4', 'Hallo'],
    taking('f16', 'q8'),
  );
  expect(code).toBe(2);
  expect(stderr).toBe('transept: load: weights as q4: the some backend cannot; it takes f32, f16, q8\n');
});

test('a storage that there is not is refused', async () => {
  const { code, stderr } = await run(['translate', '--weights', 'q3', 'Hallo']);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /option '--weights <type>' argument 'q3' is invalid\. Allowed choices are f32, f16, bf16, q8, q4\./,
  );
});

test('keys and values as a device cannot keep them are refused by name', async () => {
  const { code, stderr } = await run(['translate', '--backend', 'cpu', '--key-value-cache', 'f16', 'Hallo']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/keys and values as f16: memory of the cpu backend holds f32, .*; leave keyValueCache out/);
});

test('keys and values are kept as asked for', async () => {
  const { code, stdout } = await run([
    'translate',
    '--backend',
    'reference',
    '--key-value-cache',
    'f16',
    '--beams',
    '1',
    'Hallo.',
  ]);
  expect(code).toBe(0);
  expect(stdout).toBe('Hello.\n');
});
