// The backends that tests of kernels run on: the device there is, with the kernels chosen for it and with those chosen for
// other kinds of devices. Where there is no device the suites say why.
import { afterAll, describe } from 'vitest';
import type { Backend } from '@transept/tensor';
import { webgpu } from '../index.ts';
import type { Step, Target } from '../index.ts';

/** Kinds of devices that kernels are chosen for; any device runs them all. */
const tile = { rows: 4, columns: 4 };
const kinds: Readonly<Record<string, Partial<Target>>> = {
  'as it is': {},
  'as a GPU': { software: false, queries: 4, tile },
  'as a GPU without subgroups': { software: false, subgroup: 1, tile },
};

/** A suite that runs on the device as it is. */
export const onDevice = (name: string, suite: (backend: Backend<Step>) => void): Promise<void> =>
  onKinds(name, ['as it is'], suite);

/** A suite that runs on the device with the kernels for every kind of device. */
export const onEveryKind = (name: string, suite: (backend: Backend<Step>, kind: string) => void): Promise<void> =>
  onKinds(name, Object.keys(kinds), suite);

/** A suite that runs on the device with kernels chosen for something else than it is. */
export async function onTarget(
  name: string,
  target: Partial<Target>,
  suite: (backend: Backend<Step>) => void,
): Promise<void> {
  const { backend, title } = await open(target);
  describe.skipIf(!backend)(`${name} (${title})`, () => suite(backend!));
}

async function onKinds(
  name: string,
  names: readonly string[],
  suite: (backend: Backend<Step>, kind: string) => void,
): Promise<void> {
  for (const kind of names) {
    const { backend, title } = await open(kinds[kind]!);
    const label = names.length > 1 && backend ? `${title}, ${kind}` : title;
    describe.skipIf(!backend)(`${name} (${label})`, () => suite(backend!, kind));
  }
}

async function open(target: Partial<Target>): Promise<{ backend: Backend<Step> | undefined; title: string }> {
  try {
    const backend = await webgpu({ target });
    afterAll(() => backend[Symbol.dispose]());
    return { backend, title: String(backend.capabilities.details['adapter']) };
  } catch (error) {
    // The script that started the tests found an adapter; then not getting one is a failure.
    if (['native', 'swiftshader'].includes(process.env['TRANSEPT_WEBGPU'] ?? '')) throw error;
    return { backend: undefined, title: `skipped: ${(error as Error).message}` };
  }
}
