// The default model against what PyTorch computes in float64 and what transformers generates: every logit, hidden state and
// attention weight of the forward calls, and the ids and scores of 200 sentences, greedy and with 4 beams.
import { forward, generate } from '@transept/generate';
import { loadModel } from '@transept/models';
import type { LoadedModel } from '@transept/models';
import { readJson } from '@transept/checkpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices } from './devices.ts';
import { readGoldens, repository } from './goldens.ts';

const goldens = await readGoldens('fixtures/marian-de-en');
const files = repository('models/marian-de-en');
const generationConfig = await readJson(files, 'generation_config.json');

/** Where all 200 sentences would take minutes, some of them; `transept verify` runs them all on any backend. */
const generating: Readonly<Record<string, { calls: number; sentences: number }>> = {
  reference: { calls: 1, sentences: 3 },
  webgpu: { calls: 1, sentences: 8 },
};

for (const { name, bound, missing, open } of devices) {
  describe.skipIf(missing)(`marian-de-en on ${name}${missing ? ` (missing: ${missing})` : ''}`, () => {
    let model: LoadedModel;
    let idle: number;
    beforeAll(async () => {
      const backend = await open();
      idle = backend.memory.bytes;
      model = await loadModel(files, backend);
    });
    afterAll(() => {
      const { backend } = model;
      model[Symbol.dispose]();
      expect(backend.memory.bytes).toBe(idle);
      backend[Symbol.dispose]();
    });

    it.each(goldens.calls.filter((c) => c.kind === 'forward'))('computes $name', async (call) => {
      const rows = async (input: string): Promise<Int32Array[] | undefined> =>
        call.inputs[input] === undefined ? undefined : goldens.rows(call.inputs[input]);
      const outputs = await forward(
        model,
        {
          inputIds: (await rows('input_ids'))!,
          attentionMask: await rows('attention_mask'),
          decoderInputIds: await rows('decoder_input_ids'),
          decoderAttentionMask: await rows('decoder_attention_mask'),
        },
        { hiddenStates: true, attentions: true },
      );
      const sourceMask = await rows('attention_mask');
      const targetMask = await rows('decoder_attention_mask');
      for (const [output, names] of Object.entries(call.outputs)) {
        const list = typeof names === 'string' ? [names] : names;
        for (const [i, array] of list.entries()) {
          const key = typeof names === 'string' ? output : `${output}.${i}`;
          const { shape, data } = outputs[key]!;
          expect(shape).toEqual(goldens.arrays.find(array).shape);
          const mask = output.startsWith('encoder') ? sourceMask : targetMask;
          const worst = largestDifference(await goldens.floats(array), data, shape, mask);
          expect(worst, `${call.name} ${key}`).toBeLessThanOrEqual(bound);
        }
      }
    });

    const { calls: most, sentences } = generating[name] ?? { calls: Infinity, sentences: Infinity };
    const generations = goldens.calls.filter((c) => c.kind === 'generate');
    const some = ['greedy', 'beam4'].flatMap((way) => generations.filter((c) => c.name.startsWith(way)).slice(0, most));
    it.each(some)('generates $name', async (call) => {
      const inputs = async (input: string): Promise<Int32Array[]> =>
        (await goldens.rows(call.inputs[input]!)).slice(0, sentences);
      const result = await generate(
        model,
        { inputIds: await inputs('input_ids'), attentionMask: await inputs('attention_mask') },
        { ...call.args, generationConfig },
      );
      const wanted = (await goldens.rows(call.outputs['sequences'] as string)).slice(0, sentences);
      expect(result.sequences.map(withoutPadding)).toEqual(wanted.map(withoutPadding));
      const scores = call.outputs['sequences_scores'];
      if (scores === undefined) return;
      const right = await goldens.floats(scores as string);
      result.scores!.forEach((score, i) => expect(Math.abs(score - right[i]!)).toBeLessThanOrEqual(1e-3));
    });
  });
}

/** A sequence to its end: batches are as long as their longest row. */
function withoutPadding(sequence: Int32Array): number[] {
  const padding = generationConfig['pad_token_id'] as number;
  return [...sequence.subarray(0, sequence.findLastIndex((id) => id !== padding) + 1)];
}

/** The largest difference over the positions that are not padding. */
function largestDifference(
  a: Float32Array,
  b: Float32Array,
  shape: readonly number[],
  mask: Int32Array[] | undefined,
): number {
  const width = shape.at(-1)!;
  const positions = shape.at(-2)!;
  const perRow = a.length / shape[0]!;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const position = Math.floor(i / width) % positions;
    if (mask && mask[Math.floor(i / perRow)]![position] === 0) continue;
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}
