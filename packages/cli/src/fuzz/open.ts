// What is done with the files of a model, all of it: weights opened and read, the model built and loaded, texts encoded and decoded.
import { gguf, openCheckpoint, readJson } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { loadModel } from '@transept/models';
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { loadTokenizer } from '@transept/tokenizer';

/** No more is read of weights. */
const MOST_BYTES = 2e6;
/** Nor more taken on the device, which forgets what is written to it. */
const DEVICE_BYTES = 64e6;

const texts = ['abc ab! c', '  Ünïcödé 日本 😀\n<s>[CLS]', ''];

/** Open everything that the changed file is part of. Rejects with the first error of each part, in a list. */
export async function openAll(place: Files, path: string): Promise<unknown[]> {
  const errors: unknown[] = [];
  const attempt = async <T>(run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const isGguf = path.endsWith('.gguf');
  const files = isGguf ? await attempt(() => gguf(place, path)) : place;
  if (!files) return errors;
  const isWeights = path.includes('safetensors');
  const isConfig = path === 'config.json';
  if (isGguf || isWeights) await attempt(() => readWeights(files));
  if (isGguf || isConfig || (isWeights && (await files.has('config.json')))) await attempt(() => build(files));
  if (path.endsWith('.json')) await attempt(() => readJson(files, path));
  if (isGguf || !(isWeights || isConfig)) await attempt(() => tokenize(files));
  return errors;
}

async function readWeights(files: Files): Promise<void> {
  const checkpoint = await openCheckpoint(files);
  let bytes = 0;
  const names = [...checkpoint.tensors.values()].filter(({ start, end }) => (bytes += end - start) <= MOST_BYTES);
  for await (const _ of checkpoint.stream(
    names.map(({ name }) => name),
    { as: 'f32' },
  ));
}

async function build(files: Files): Promise<void> {
  using _ = await loadModel(files, forgetful());
}

/** A device that holds nothing, and not more than a small one would. */
function forgetful(): Backend {
  const backend = reference();
  return {
    ...backend,
    capabilities: { ...backend.capabilities, maxMemoryBytes: DEVICE_BYTES },
    alloc: (bytes) => ({ bytes, [Symbol.dispose]() {} }),
    write() {},
  };
}

async function tokenize(files: Files): Promise<void> {
  const tokenizer = await loadTokenizer(files);
  if (!tokenizer) return;
  for (const text of texts) {
    const { ids } = tokenizer.encode(text, { pair: text });
    tokenizer.decode([...ids, 0, 1, 2, 999]);
  }
}
