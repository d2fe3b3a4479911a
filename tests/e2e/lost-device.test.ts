// A GPU that is taken away in the midst of texts: they go on on another device, with the same tokens.
import { generate, stream } from '@transept/generate';
import { load } from 'transept';
import { DeviceLostError } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';
import { expect, test } from 'vitest';
import { devices } from './devices.ts';
import { repository } from './goldens.ts';

const { missing } = devices.find(({ name }) => name === 'webgpu')!;
const why = missing ? ` (missing: ${missing})` : '';
const gpu = async (): Promise<GPU> => globalThis.navigator?.gpu ?? (await import('webgpu')).create([]);
const adapters: GPU[] = [];

/** A device that a test may destroy. */
async function device(): Promise<GPUDevice> {
  const entry = await gpu();
  adapters.push(entry);
  return (await entry.requestAdapter())!.requestDevice();
}

const stories = repository('fixtures/stories260k-llama');
const inputs = { inputIds: [[1]] };

test.skipIf(missing)(`a story goes on where it was${why}`, async () => {
  const injected = await device();
  using first = await webgpu({ device: injected });
  using model = await load(stories, { backend: first, onDeviceLost: () => webgpu() });
  const tokens = async (each: (count: number) => void): Promise<number[]> => {
    const all: number[] = [];
    const options = { maxNewTokens: 12, onDeviceLost: model.recover! };
    for await (const [token] of stream(model.loaded, inputs, options)) each(all.push(token!));
    return all;
  };
  const whole = await tokens(() => {});
  expect(await tokens((count) => count === 5 && injected.destroy())).toEqual(whole);
  expect(model.loaded.backend).not.toBe(first);
  expect(() => first.alloc(4)).toThrow(DeviceLostError);
});

test.skipIf(missing)(`two models share a device; one that ends leaves it to the other${why}`, async () => {
  const shared = await device();
  const options = { maxNewTokens: 8 };
  const open = async () => {
    const backend = await webgpu({ device: shared });
    return { backend, model: await load(stories, { backend }) };
  };
  const [one, two] = [await open(), await open()];
  const alone = await generate(one.model.loaded, inputs, options);
  const together = await Promise.all([one, two].map(({ model }) => generate(model.loaded, inputs, options)));
  expect(together).toEqual([alone, alone]);
  let count = 0;
  for await (const [token] of stream(two.model.loaded, inputs, options)) {
    expect(token).toBe(alone.sequences[0]![1 + count]);
    if (++count !== 2) continue;
    one.model[Symbol.dispose]();
    one.backend[Symbol.dispose]();
  }
  expect(count).toBe(8);
  two.model[Symbol.dispose]();
  two.backend[Symbol.dispose]();
  // Nobody destroyed what was only lent.
  const lost = await Promise.race([shared.lost, new Promise((resolve) => setTimeout(resolve, 50, 'there'))]);
  expect(lost).toBe('there');
  shared.destroy();
});
