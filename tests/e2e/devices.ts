// The backends that models are tested on. A backend that this machine cannot have is skipped, and the test's name says why.
import { cpu } from '@transept/cpu-backend';
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';

export interface Device {
  readonly name: string;
  /** Largest difference from float64 values: docs/numerics.md. */
  readonly bound: number;
  /** Why it cannot be had here. */
  readonly missing: string | undefined;
  open(): Promise<Backend>;
}

/** Whether the script that started the tests found an adapter; then not getting one is a failure. */
export const webgpuFound = ['native', 'swiftshader'].includes(process.env['TRANSEPT_WEBGPU'] ?? '');

const device = async (name: string, bound: number, open: () => Backend | Promise<Backend>): Promise<Device> => {
  let missing: string | undefined;
  try {
    using _ = await open();
  } catch (error) {
    if (name === 'webgpu' && webgpuFound) throw error;
    missing = (error as Error).message;
  }
  return { name, bound, missing, open: async () => open() };
};

export const devices: readonly Device[] = [
  await device('reference', 1e-4, () => reference()),
  await device('cpu', 5e-4, () => cpu({ threads: 1 })),
  await device('cpu with 2 threads', 5e-4, () => cpu({ threads: 2 })),
  await device('webgpu', 2e-3, () => webgpu()),
];
