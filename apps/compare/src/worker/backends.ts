// The one place of the page that knows the backends.
import { cpu } from '@transept/cpu-backend';
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';
import type { BackendName } from '../protocol.ts';

export interface BackendOptions {
  readonly threads?: number | undefined;
}

const factories: Readonly<Record<BackendName, (options: BackendOptions) => Backend | Promise<Backend>>> = {
  cpu: ({ threads }) => cpu(threads === undefined ? {} : { threads }),
  webgpu: () => webgpu(),
  reference: () => reference(),
};

/** Start a backend. Rejects with the reason where it cannot be had. */
export const createBackend = async (name: BackendName, options: BackendOptions): Promise<Backend> =>
  factories[name](options);
