// The plans of the default model as people see them: how many kernels a token costs, and a snapshot, so that a change of what is
// fused shows in review.
import { readJson } from '@transept/checkpoint';
import { programsOf } from '@transept/generate';
import { createModel } from '@transept/models';
import { formatPlan } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { devices } from './devices.ts';
import { repository } from './goldens.ts';

const marian = createModel(await readJson(repository('models/marian-de-en'), 'config.json'));
const llama = createModel(await readJson(repository('fixtures/stories260k-llama'), 'config.json'));

for (const { name, missing, open } of devices.filter((d) => d.name === 'cpu' || d.name === 'webgpu')) {
  describe.skipIf(missing)(`plans for ${name}${missing ? ` (missing: ${missing})` : ''}`, () => {
    it('takes at most 12 kernels a decoder layer and 6 more for a token', async () => {
      using backend = await open();
      for (const model of [marian, llama]) {
        const layers = 'decoderLayers' in model ? model.decoderLayers : 0;
        expect(programsOf(model, backend).at(-1)!.calls.length).toBeLessThanOrEqual(12 * layers + 6);
      }
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
