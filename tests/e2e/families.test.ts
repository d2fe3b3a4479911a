// Every family computes what transformers recorded: all calls on the cpu backend with every form of the configuration, and the
// passes of some families, chosen for what only they ask for, on the other backends.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { forward, generate } from '@transept/generate';
import { loadModel } from '@transept/models';
import { readJson } from '@transept/checkpoint';
import type { Backend } from '@transept/tensor';
import { verify } from 'transept';
import type { CallReport, VerifyOptions } from 'transept';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices } from './devices.ts';
import { repository } from './goldens.ts';

const root = fileURLToPath(new URL('../../fixtures', import.meta.url));
const folders = ['hf', 'hf-options', 'hf-heads'].flatMap((place) =>
  readdirSync(`${root}/${place}`)
    .map((name) => `${place}/${name}`)
    .filter((name) => existsSync(`${root}/${name}/golden.json`)),
);
const configs = (folder: string): string[] =>
  ['config.json', 'config.legacy.json'].filter((name) => existsSync(`${root}/${folder}/${name}`));

/** What is wrong, in words; empty where all calls passed. */
async function problems(folder: string, options: Omit<VerifyOptions, 'signal'>): Promise<string[]> {
  const { calls } = await verify(`${root}/${folder}`, options);
  expect(calls.some(({ verdict }) => verdict === 'passed')).toBe(true);
  return calls.filter(({ verdict }) => verdict === 'failed').map(describeFailure);
}

const describeFailure = ({ name, reason, outputs }: CallReport): string =>
  `${name}: ${reason ?? outputs.flatMap((o) => (o.verdict === 'failed' ? [`${o.name} off by ${o.error}`] : [])).join(', ')}`;

/** Passes over prompts, and a few steps from one. */
const short = new Set(['fwd', 'fwd_long', 'greedy_one']);

const suites: readonly { readonly device: string; readonly folders: readonly string[]; readonly bound: number }[] = [
  { device: 'cpu', folders, bound: 1e-4 },
  {
    device: 'reference',
    folders: ['hf/gemma3', 'hf/qwen3_moe', 'hf/bloom', 'hf/deberta-v2', 'hf/whisper', 'hf/vit'],
    bound: 1e-4,
  },
  {
    device: 'webgpu',
    folders: ['hf/llama-dynamic', 'hf/gemma2', 'hf/mixtral', 'hf/deberta-v2', 'hf/whisper'],
    bound: 1e-3,
  },
];

for (const suite of suites) {
  const { missing, open } = devices.find(({ name }) => name === suite.device)!;
  const why = missing ? ` (missing: ${missing})` : '';
  const all = suite.device === 'cpu';

  describe.skipIf(missing)(`families on ${suite.device}${why}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
    });
    afterAll(() => backend[Symbol.dispose]());

    for (const folder of suite.folders)
      for (const config of all ? configs(folder) : ['config.json'])
        it(config === 'config.json' ? folder : `${folder}, ${config}`, async () => {
          const only = all ? () => true : ({ name }: { name: string }) => short.has(name);
          expect(await problems(folder, { backend, bound: suite.bound, config, only })).toEqual([]);
        });
  });
}

describe('tiny-random-gpt2', () => {
  interface Case {
    readonly ids: readonly number[];
    /** Of the last positions, or of all. */
    readonly logits_ort_f32: readonly (readonly number[])[];
    readonly greedy: readonly number[];
  }

  it('computes the logits of onnxruntime, and goes on as its tests expect', async () => {
    const files = repository('fixtures/tiny-random-gpt2');
    const { cases } = (await readJson(files, 'golden.json')) as unknown as { cases: readonly Case[] };
    using backend = await devices.find(({ name }) => name === 'cpu')!.open();
    using model = await loadModel(files, backend);
    for (const { ids, logits_ort_f32, greedy } of cases) {
      const { logits } = await forward(model, { inputIds: [ids] });
      const expected = logits_ort_f32.flat();
      const actual = logits!.data.subarray(-expected.length);
      expect(expected.reduce((w, x, i) => Math.max(w, Math.abs(x - actual[i]!)), 0)).toBeLessThanOrEqual(1e-5);
      const { sequences } = await generate(model, { inputIds: [ids] }, { maxLength: greedy.length });
      expect([...sequences[0]!]).toEqual(greedy);
    }
  });
});
