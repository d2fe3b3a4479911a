// The backend that tests of kernels run on: one for each test file, or the reason why there is none here.
import { afterAll } from 'vitest';
import type { Backend } from '@transept/tensor';
import { webgpu } from '../index.ts';
import type { Step } from '../index.ts';

export interface TestDevice {
  /** Undefined where there is no device. */
  readonly backend: Backend<Step> | undefined;
  /** For the title of a suite: the adapter, or why there is none. */
  readonly title: string;
}

export async function testDevice(): Promise<TestDevice> {
  try {
    const backend = await webgpu();
    afterAll(() => backend[Symbol.dispose]());
    return { backend, title: String(backend.capabilities.details['adapter']) };
  } catch (error) {
    return { backend: undefined, title: `skipped: ${(error as Error).message}` };
  }
}
