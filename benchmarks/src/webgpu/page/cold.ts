// From nothing to the first token of the default translator, as a page does it: a device, the model from the server, all pipelines.
// What keeps the page's thread for more than 50 ms at a time is a long task.
import { load, streamText } from 'transept';
import { webgpu } from '@transept/webgpu-backend';
import { profileTasks } from './tasks.ts';
import type { LongTask } from './tasks.ts';

export interface ColdStart {
  /** Milliseconds since the beginning. */
  readonly device: number;
  readonly loaded: number;
  readonly firstToken: number;
  /** From the call to the first token, once everything is there. */
  readonly warm: number;
  readonly longTasks: readonly LongTask[];
}

const sentence = 'Der alte Mann ging langsam über die Straße und sah nach oben.';

export async function coldStart(): Promise<ColdStart> {
  using tasks = profileTasks();
  const began = performance.now();
  const since = (): number => performance.now() - began;
  using backend = await webgpu();
  const device = since();
  using model = await load(new URL('/models/marian-de-en/', location.href), { backend });
  const loaded = since();
  const first = async (): Promise<number> => {
    const called = performance.now();
    for await (const _ of streamText(model, sentence, { numBeams: 1, maxNewTokens: 4 }))
      return performance.now() - called;
    throw new Error('cold start: no token came');
  };
  await first();
  const firstToken = since();
  const longTasks = await tasks.end();
  return { device, loaded, firstToken, warm: await first(), longTasks };
}
