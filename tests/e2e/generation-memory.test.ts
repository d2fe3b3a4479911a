// Generation as a whole, on the CPU: thousands of tokens after the first ones leave nothing behind, in JavaScript or on the device.
import { cpu } from '@transept/cpu-backend';
import { stream } from '@transept/generate';
import type { GenerateOptions } from '@transept/generate';
import { loadModel } from '@transept/models';
import { expect, it } from 'vitest';
import { repository } from './goldens.ts';
import { heapUsed } from './heap.ts';

it.each<[tokens: number, how: string, threads: number, options: GenerateOptions]>([
  [10_000, 'chosen by the device', 2, {}],
  [4000, 'drawn on the host', 1, { doSample: true, topK: 8, seed: 1 }],
])('%i tokens %s leave nothing behind, threads: %i', async (tokens, _, threads, options) => {
  using backend = await cpu({ threads });
  using model = await loadModel(repository('fixtures/stories260k-llama'), backend);
  const each = 500;
  const generate = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += each) {
      let got = 0;
      const lengths = { maxNewTokens: each, minNewTokens: each, eosTokenId: [] };
      for await (const row of stream(model, { inputIds: [[1, 403, 407]] }, { ...options, ...lengths }))
        got += row.length;
      expect(got).toBe(each);
    }
  };
  // The engine takes some hundred thousand bytes while it learns what the code does.
  await generate(tokens);
  const [heap, device] = [heapUsed(), backend.memory.bytes];
  await generate(tokens);
  // The smallest object has twelve bytes, and somebody has to hold it.
  expect(heapUsed() - heap).toBeLessThan(10 * tokens);
  expect(backend.memory.bytes).toBe(device);
});
