import { expect, test } from 'vitest';
import { Pipelines, pipelinesKept } from './pipelines.ts';
import type { Dispatch } from './step.ts';
import { MockDevice } from './testing/mock-device.ts';

test('the latest used pipelines are kept, not all there ever were', async () => {
  const mock = new MockDevice();
  const pipelines = new Pipelines(mock as unknown as GPUDevice);
  const made = (): number => mock.calls.filter((c) => c === 'createComputePipelineAsync').length;
  const shader = (i: number): Dispatch => ({ code: `// ${i}`, bindings: [], scalars: false, workgroups: [1, 1, 1] });
  for (let i = 0; i < pipelinesKept; i++) await pipelines.get(shader(i), 'test');
  await pipelines.get(shader(0), 'test');
  expect(made()).toBe(pipelinesKept);
  await pipelines.get(shader(pipelinesKept), 'test'); // takes the place of 1, which was used the longest ago
  await pipelines.get(shader(0), 'test');
  expect(made()).toBe(pipelinesKept + 1);
  await pipelines.get(shader(1), 'test');
  expect(made()).toBe(pipelinesKept + 2);
});

test('nothing that a lost device rejects while a shader compiles goes unheard', async () => {
  const mock = new MockDevice();
  mock.popErrorScope = () => Promise.reject(new Error('the device is lost'));
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const dispatch: Dispatch = { code: '// lost', bindings: [], scalars: false, workgroups: [1, 1, 1] };
    await new Pipelines(mock.device).get(dispatch, 'test');
    await new Promise((resolve) => setTimeout(resolve));
    expect(unheard).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});
