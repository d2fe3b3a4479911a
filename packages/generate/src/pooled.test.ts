// Vectors of texts from decoder-only models: what is pooled are the last hidden states, whatever else is in the batch.
import { fileURLToPath } from 'node:url';
import { folder } from '@transept/checkpoint';
import { loadModel } from '@transept/models';
import { reference } from '@transept/tensor';
import { expect, it } from 'vitest';
import { forward } from './forward.ts';
import { pooled } from './pooled.ts';

const fixture = (name: string) => folder(fileURLToPath(new URL(`../../../fixtures/hf/${name}`, import.meta.url)));

it.each(['qwen3', 'bloom'])('%s', async (name) => {
  using model = await loadModel(fixture(name), reference());
  const rows = [[5, 9, 3, 12, 7], [8, 4]]; // prettier-ignore
  const vectors = await pooled(model, rows, { pooling: ['lastToken', 'mean'], normalize: false });
  for (const [r, row] of rows.entries()) {
    const states = await forward(model, { inputIds: [row] }, { hiddenStates: true });
    const last = Object.entries(states).findLast(([key]) => key.startsWith('hidden_states'))![1];
    const width = last.shape[2]!;
    const at = (t: number, c: number): number => last.data[t * width + c]!;
    for (let c = 0; c < width; c++) {
      expect(vectors[r]![c]).toBeCloseTo(at(row.length - 1, c), 4);
      expect(vectors[r]![width + c]).toBeCloseTo(row.reduce((sum, _, t) => sum + at(t, c), 0) / row.length, 4);
    }
  }
});
