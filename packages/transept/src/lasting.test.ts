// Models whose device is lost while they run.
import { DeviceLostError, reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { expect, test } from 'vitest';
import { folder } from '@transept/checkpoint';
import { fileURLToPath } from 'node:url';
import { classify, embed, generateText, load, streamText } from './index.ts';
import type { TextModel } from './index.ts';
import { overlaid, wordTokenizer } from './testing/models.ts';

/** A reference backend whose device can be taken away. */
function breakable(): { backend: Backend; lose(): void; disposed: boolean } {
  const inner = reference();
  let lost: DeviceLostError | undefined;
  const { promise, resolve } = Promise.withResolvers<Error>();
  const check = (): void => {
    if (lost) throw lost;
  };
  const device = {
    disposed: false,
    backend: {
      ...inner,
      lost: promise,
      alloc: (bytes: number) => (check(), inner.alloc(bytes)),
      read: async (...call: Parameters<Backend['read']>) => (check(), inner.read(...call)),
      async load(...call: Parameters<Backend['load']>) {
        check();
        const program = await inner.load(...call);
        return {
          ...program,
          run: (scalars?: readonly number[]) => (check(), program.run(scalars)),
          read: async (name: string) => (check(), program.read(name)),
        };
      },
      [Symbol.dispose]: () => {
        device.disposed = true;
        inner[Symbol.dispose]();
      },
    },
    lose() {
      lost = new DeviceLostError('webgpu: the device is lost: for a test');
      resolve(lost);
    },
  };
  return device;
}

const hf = (name: string) => folder(fileURLToPath(new URL(`../../../fixtures/hf/${name}`, import.meta.url)));

async function open(name: string, vocabSize: number, next?: () => Backend) {
  const first = breakable();
  const files = overlaid(hf(name), { 'tokenizer.json': wordTokenizer(vocabSize) });
  const model = await load(files, { backend: first.backend, ...(next && { onDeviceLost: next }) });
  return { first, model };
}

const greedy = { maxNewTokens: 6, eosTokenId: null };
const pieces = async (model: TextModel, each: (count: number) => void): Promise<string> => {
  let text = '';
  let count = 0;
  for await (const piece of streamText(model, 'w5 w6 w7', greedy)) {
    text += piece;
    each(++count);
  }
  return text;
};

test('a text goes on on another device, which the model keeps and takes along', async () => {
  const second = breakable();
  const { first, model } = await open('llama', 101, () => second.backend);
  const whole = await pieces(model, () => {});
  const broken = await pieces(model, (count) => count === 3 && first.lose());
  expect(broken).toBe(whole);
  expect(model.loaded.backend).toBe(second.backend);
  expect(await pieces(model, () => {})).toBe(whole);
  expect(second.disposed).toBe(false);
  model[Symbol.dispose]();
  await Promise.resolve();
  expect(second.disposed).toBe(true);
  expect(first.disposed).toBe(false);
});

test('several texts that lose one device share the next, and a second loss is no end', async () => {
  const made: ReturnType<typeof breakable>[] = [];
  const { first, model } = await open('llama', 101, () => {
    made.push(breakable());
    return made.at(-1)!.backend;
  });
  using _ = model;
  const whole = await pieces(model, () => {});
  const both = await Promise.all([
    pieces(model, (count) => count === 2 && first.lose()),
    pieces(model, (count) => count === 4 && made[0]?.lose()),
  ]);
  expect(both).toEqual([whole, whole]);
  expect(made.length).toBeLessThanOrEqual(2);
  expect(made.length).toBeGreaterThanOrEqual(1);
});

test('what encodes begins anew, and without another device a loss is an error', async () => {
  const encodes = [
    ['bert-base', (model: TextModel) => embed(model, ['w5 w6'])],
    ['bert-cls', (model: TextModel) => classify(model, ['w5 w6'])],
  ] as const;
  for (const [name, encode] of encodes) {
    const { first, model } = await open(name, 90, () => breakable().backend);
    using _ = model;
    const expected = await encode(model);
    first.lose();
    expect(await encode(model)).toEqual(expected);
  }

  const { first: only, model: fragile } = await open('llama', 101);
  using __ = fragile;
  only.lose();
  await expect(generateText(fragile, ['w5'], greedy)).rejects.toThrow(DeviceLostError);
});

test('a model that was disposed is not read again', async () => {
  const { first, model } = await open('llama', 101, () => expect.fail('no backend is asked for'));
  const text = pieces(model, (count) => {
    if (count < 2) return;
    model[Symbol.dispose]();
    first.lose();
  });
  await expect(text).rejects.toThrow(/was disposed, and its device is lost; load it again$/);
});
