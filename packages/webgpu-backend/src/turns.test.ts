// Loading gives the thread up now and then.
import { expect, test, vi } from 'vitest';
import { webgpu } from './index.ts';
import { MockDevice } from './testing/mock-device.ts';
import { chainPlan } from './testing/plans.ts';

test('between the calls of a large plan other work gets its turn', async () => {
  using backend = await webgpu({ device: new MockDevice().device });
  const bound = { x: backend.alloc(64), w: backend.alloc(64), y: backend.alloc(64) };
  // A clock on which preparing a call takes long.
  let time = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (time += 3));
  let turns = 0;
  let loaded = false;
  const other = (): void => {
    turns++;
    if (!loaded) setTimeout(other);
  };
  setTimeout(other);
  using program = await backend.load(chainPlan(30), bound);
  loaded = true;
  vi.restoreAllMocks();
  expect(program.dispatches).toBe(30);
  expect(turns).toBeGreaterThan(5);
});
