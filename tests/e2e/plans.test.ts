// The plans of the default model as people see them: how many kernels a token costs, and a snapshot, so that a change of what is
// fused shows in review.
import { readJson } from '@transept/checkpoint';
import { programsOf } from '@transept/generate';
import { createModel } from '@transept/models';
import { formatPlan } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { devices } from './devices.ts';
import { repository } from './goldens.ts';

const marian = createModel(await readJson(repository('models/marian-de-en'), 'config.json'));
const llama = createModel(await readJson(repository('fixtures/stories260k-llama'), 'config.json'));

/** SmolLM-135M with 6 of its 30 layers. */
const smol = createModel({
  model_type: 'llama',
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 6,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  vocab_size: 49152,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  tie_word_embeddings: true,
});
const models = [
  [marian, 3, 10],
  [llama, 5, 8],
  [smol, 6, 8],
] as const;
const callsOf = (model: (typeof models)[number][0], backend: Backend): number =>
  programsOf(model, backend).at(-1)!.calls.length;

for (const { name, missing, open } of devices.filter((d) => d.name === 'cpu' || d.name === 'webgpu')) {
  describe.skipIf(missing)(`plans for ${name}${missing ? ` (missing: ${missing})` : ''}`, () => {
    // The choice of the token is one more.
    it.runIf(name === 'cpu')('takes at most 12 kernels a decoder layer and 5 more for a token', async () => {
      using backend = await open();
      for (const [model, layers] of models) expect(callsOf(model, backend)).toBeLessThanOrEqual(12 * layers + 5);
    });

    it.runIf(name === 'webgpu')('takes at most 10 kernels a layer with cross-attention, 8 one without', async () => {
      using backend = await open();
      for (const [model, layers, most] of models)
        expect(callsOf(model, backend)).toBeLessThanOrEqual(most * layers + 3);
    });

    it('decomposes nothing', async () => {
      using backend = await open();
      for (const model of [marian, llama])
        for (const plan of programsOf(model, backend)) expect(plan.notes.filter((n) => n.kind !== 'fused')).toEqual([]);
    });

    it.runIf(name === 'cpu')('is the plan that was reviewed', async () => {
      using backend = await open();
      const text = programsOf(marian, backend)
        .map((plan) => formatPlan(plan))
        .join('\n\n');
      await expect(`${text}\n`).toMatchFileSnapshot(`plans/marian-${name}.txt`);
    });
  });
}
