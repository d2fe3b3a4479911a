// When the device is lost: another is asked for, patiently, whether or not anything runs, and the page is told.
import { DeviceLostError } from '@transept/tensor';
import type { TextModel } from 'transept';
import type { Device, News } from '../protocol.ts';

/** Milliseconds before each further try: where the GPU process of a browser died, the next one is not there at once. */
const waits = [100, 300, 600, 1000];

/** What `make` gives, which may fail a few times. Rejects with its last failure. */
export async function patiently<T>(make: () => Promise<T>): Promise<T> {
  for (const wait of waits)
    try {
      return await make();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  return make();
}

/** Replace the device of a model each time it is lost. Resolves with the reason when there is no other. */
export async function replaceLost(model: TextModel, tell: (news: News) => void): Promise<string> {
  for (;;) {
    const { name, lost } = model.loaded.backend;
    const cause = await lost;
    const start = performance.now();
    tell({ kind: 'lost' });
    try {
      await model.recover!(new DeviceLostError(cause.message, { cause }));
    } catch (error) {
      return `${name}: the device was lost and could not be replaced; load again, after some minutes where the browser refuses the GPU: ${(error as Error).message}`;
    }
    tell({ kind: 'replaced', ms: performance.now() - start, device: deviceOf(model) });
  }
}

/** The device that a model is on. */
export function deviceOf({ loaded: { backend } }: TextModel): Device {
  const { bytes, peak } = backend.memory;
  return { details: backend.capabilities.details, memory: { bytes, peak } };
}
