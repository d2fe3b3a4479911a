// Transept in the page, with weights made from a seed.
import { forward, generate, stream } from '@transept/generate';
import { loadModel } from '@transept/models';
import { webgpu } from '@transept/webgpu-backend';
import { configs } from '../../cpu/models.ts';
import type { Task } from '../../cpu/models.ts';
import { randomModel } from '../../random-model.ts';
import { randomIds } from '../../random.ts';
import { narrowConfig } from './replay.ts';
import { TokenTimes } from './runtime.ts';
import type { PageRuntime } from './runtime.ts';

/** With the widths of the shape small: for what does not depend on them. */
type PageTaskOptions = Task & { readonly narrow?: boolean };

export async function transept(): Promise<PageRuntime> {
  const backend = await webgpu();
  return {
    name: 'Transept',
    async prepare({ model, weights, rows, length, tokens, beams, narrow }: PageTaskOptions) {
      const config = narrow && model !== 'minilm' ? narrowConfig(model) : configs[model];
      const loaded = await loadModel(randomModel(model, config), backend, { weights });
      const inputIds = Array.from({ length: rows }, (_, r) => randomIds(r + 1, length, config['vocab_size'] as number));
      return {
        async run(wanted) {
          const times = new TokenTimes();
          if (tokens === 0) {
            await forward(loaded, { inputIds });
            times.token();
            return times.times;
          }
          const options = { maxNewTokens: wanted, eosTokenId: null };
          if (beams > 1)
            await generate(loaded, { inputIds }, { ...options, numBeams: beams, onStep: () => times.token() });
          else for await (const _ of stream(loaded, { inputIds }, options)) times.token();
          return times.times;
        },
        [Symbol.dispose]: () => loaded[Symbol.dispose](),
      };
    },
  };
}
