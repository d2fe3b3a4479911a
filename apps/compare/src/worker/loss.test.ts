// Asking for another device more than once.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { patiently } from './loss.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Fails the given number of times. */
const failing = (times: number) =>
  vi.fn(async () => {
    if (times-- > 0) throw new Error(`${times} more`);
    return 'a device';
  });

test('what is there at once is not waited for', async () => {
  expect(await patiently(failing(0))).toBe('a device');
});

test('what fails is tried again, with a pause', async () => {
  const make = failing(2);
  const made = patiently(make);
  await vi.advanceTimersByTimeAsync(0);
  expect(make).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await made).toBe('a device');
  expect(make).toHaveBeenCalledTimes(3);
});

test('it ends with the last failure', async () => {
  const make = failing(100);
  const made = patiently(make);
  made.catch(() => {});
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(made).rejects.toThrow(`${100 - make.mock.calls.length} more`);
});
