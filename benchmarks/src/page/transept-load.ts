// From nothing to the first word with Transept: what a page does that translates one sentence.
import { cpu } from '@transept/cpu-backend';
import { load, streamText } from 'transept';
import type { LoadCase, LoadTimes } from './load.ts';

export async function firstWord({ origin, model, weights, threads, text }: LoadCase): Promise<LoadTimes> {
  const began = performance.now();
  const options = { endpoint: `${origin}/hub`, ...(weights !== 'f32' && { weights }) };
  const backend = await cpu({ threads });
  const started = performance.now();
  const loaded = await load(model, { ...options, backend });
  const ready = performance.now();
  for await (const word of streamText(loaded, text, { numBeams: 1 }))
    if (word.trim())
      return { word, startMs: started - began, loadMs: ready - started, wordMs: performance.now() - ready };
  throw new Error('there was no word');
}
