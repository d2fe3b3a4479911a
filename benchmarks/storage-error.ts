// How far logits move when weights are stored in fewer bits: `node --conditions=@transept/source benchmarks/storage-error.ts`.
// The models of the repository, forced along what they generate with f32 weights; the table is the one in docs/numerics.md.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { folder } from '@transept/checkpoint';
import { cpu } from '@transept/cpu-backend';
import { forward, generate } from '@transept/generate';
import { loadModel } from '@transept/models';
import type { LoadedModel } from '@transept/models';
import { reference } from '@transept/tensor';
import type { Backend, Storage } from '@transept/tensor';
import { load } from 'transept';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const storages: readonly Storage[] = ['f16', 'bf16', 'q8', 'q4'];
using backend = await cpu({ threads: 1 });

interface Forced {
  readonly inputIds: readonly number[];
  readonly decoderInputIds?: readonly number[];
}

/** Logits of every position, one row after the other. */
async function logitsOf(model: LoadedModel, inputs: readonly Forced[]): Promise<Float32Array[]> {
  const vocabulary = model.config['vocab_size'] as number;
  const rows: Float32Array[] = [];
  for (const { inputIds, decoderInputIds } of inputs) {
    const ids = decoderInputIds && { decoderInputIds: [decoderInputIds] };
    const { data } = (await forward(model, { inputIds: [inputIds], ...ids }))['logits']!;
    const length = (decoderInputIds ?? inputIds).length;
    for (let t = 0; t < length; t++) rows.push(data.slice(t * vocabulary, (t + 1) * vocabulary));
  }
  return rows;
}

function compare(name: string, rows: readonly Float32Array[], exact: readonly Float32Array[]): void {
  let largest = 0;
  let squares = 0;
  let count = 0;
  let divergence = 0;
  let agreed = 0;
  rows.forEach((row, t) => {
    const want = exact[t]!;
    const [p, q] = [want, row].map(probabilities) as [Float64Array, Float64Array];
    row.forEach((x, i) => {
      if (!(want[i]! > -1e30)) return;
      largest = Math.max(largest, Math.abs(x - want[i]!));
      squares += (x - want[i]!) ** 2;
      count++;
      if (p[i]! > 0) divergence += p[i]! * Math.log(p[i]! / q[i]!);
    });
    agreed += Number(best(row) === best(want));
  });
  const same = ((100 * agreed) / rows.length).toFixed(1);
  console.log(
    `| ${name} | ${largest.toExponential(1)} | ${Math.sqrt(squares / count).toExponential(1)} | ${(divergence / rows.length).toExponential(1)} | ${same} % |`,
  );
}

const best = (row: Float32Array): number => row.indexOf(row.reduce((a, b) => Math.max(a, b), -Infinity));

function probabilities(row: Float32Array): Float64Array {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Float64Array.from(row, (x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

async function report(name: string, path: string, inputs: readonly Forced[]): Promise<void> {
  const logits = async (device: Backend, weights: 'f32' | Storage, some = inputs): Promise<Float32Array[]> => {
    using model = await loadModel(folder(at(path)), device, { weights });
    return await logitsOf(model, some);
  };
  console.log(`${name}, ${inputs.length} sequences\n`);
  console.log('| weights | largest Δlogit | rms Δlogit | KL(f32 ‖ stored), nats | same first choice |');
  console.log('|---|---:|---:|---:|---:|');
  const exact = await logits(backend, 'f32');
  for (const storage of storages) compare(`${storage} for f32`, await logits(backend, storage), exact);
  // What the kernels themselves add: against the same stored weights, expanded, in f64.
  const few = inputs.slice(0, 4);
  for (const storage of storages)
    compare(
      `${storage}, cpu for reference`,
      await logits(backend, storage, few),
      await logits(reference(), storage, few),
    );
  console.log('');
}

using translator = await load(at('models/marian-de-en'), { backend });
const sentences = readFileSync(at('fixtures/tatoeba-test/tatoeba.deu-eng.deu'), 'utf8').split('\n').slice(0, 50);
const translations: Forced[] = [];
for (const text of sentences) {
  const inputIds = [...translator.tokenizer!.encode(text).ids];
  const { sequences } = await generate(translator.loaded, { inputIds: [inputIds] }, { maxNewTokens: 64 });
  translations.push({ inputIds, decoderInputIds: [...sequences[0]!].slice(0, -1) });
}
await report('The default translator', 'models/marian-de-en', translations);

using stories = await loadModel(folder(at('fixtures/stories260k-llama')), backend);
const texts: Forced[] = [];
for (let first = 3; first < 13; first++) {
  const { sequences } = await generate(stories, { inputIds: [[1, first * 30]] }, { maxNewTokens: 100 });
  texts.push({ inputIds: [...sequences[0]!] });
}
await report('stories260K (Llama of width 64)', 'fixtures/stories260k-llama', texts);
