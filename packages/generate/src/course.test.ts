// Steps that go ahead of what the host has read, and devices that are lost in the midst of a text.
import { fileURLToPath } from 'node:url';
import { folder } from '@transept/checkpoint';
import { loadModel } from '@transept/models';
import type { LoadedModel } from '@transept/models';
import { DeviceLostError, reference } from '@transept/tensor';
import type { Backend, Program } from '@transept/tensor';
import { expect, test } from 'vitest';
import { generate, stream } from './generate.ts';
import type { GenerateOptions } from './generate.ts';

const open = (name: string, backend: Backend): Promise<LoadedModel> =>
  loadModel(folder(fileURLToPath(new URL(`../../../fixtures/hf/${name}`, import.meta.url))), backend);

interface Watched {
  readonly backend: Backend;
  /** Steps run and results read, in order. */
  readonly events: string[];
  /** From now on, the device is lost at this many reads. */
  loseAfter: number;
}

/** The reference backend, as if it only queued what it is given; its device is lost on request. */
function watched(): Watched {
  const inner = reference();
  const events: string[] = [];
  const state: Watched = {
    events,
    loseAfter: Infinity,
    backend: {
      ...inner,
      capabilities: { ...inner.capabilities, queued: true },
      async load(plan, bound, options) {
        check();
        const program = await inner.load(plan, bound, options);
        return { ...program, run: (scalars) => run(program, scalars), read: (name) => read(program, name) };
      },
    },
  };
  let lost = false;
  const check = (): void => {
    if (lost) throw new DeviceLostError('webgpu: the device is lost: for a test');
  };
  const run = (program: Program, scalars?: readonly number[]): void => {
    check();
    if (program.plan.name.endsWith('step')) events.push('run');
    program.run(scalars);
  };
  const read = async (program: Program, name: string): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await program.read(name);
    await new Promise((resolve) => setTimeout(resolve));
    if (state.loseAfter-- <= 0) lost = true;
    check();
    events.push(`${bytes.length} bytes`);
    return bytes;
  };
  return state;
}

const prompt = { inputIds: [[5, 6, 7]] };
const two = { inputIds: [[5, 6, 7], [8, 9, 10]] }; // prettier-ignore

test('a step runs before the token of the one before it is read', async () => {
  const { backend, events } = watched();
  using model = await open('bart', backend);
  await generate(model, prompt, { maxNewTokens: 4, eosTokenId: null, forcedEosTokenId: null });
  expect(events).toEqual(['run', 'run', '4 bytes', 'run', '4 bytes', 'run', '4 bytes', '4 bytes']);
});

test('what is made ready is told, once', async () => {
  const inner = reference();
  const backend: Backend = {
    ...inner,
    load(plan, bound, options) {
      options?.onProgress?.(1, 2);
      return inner.load(plan, bound, options);
    },
  };
  using model = await open('bart', backend);
  const told: number[][] = [];
  const onPrepare = (...counts: number[]): void => void told.push(counts);
  await generate(model, prompt, { maxNewTokens: 3, onPrepare });
  await generate(model, prompt, { maxNewTokens: 3, onPrepare });
  expect(told).toEqual([[1, 2], [1, 2]]); // prettier-ignore
});

test('nothing runs ahead of choices that the host makes', async () => {
  const { backend, events } = watched();
  using model = await open('bart', backend);
  await generate(model, prompt, { maxNewTokens: 3, eosTokenId: null, doSample: true, seed: 1 });
  expect(events).toEqual(['run', '404 bytes', 'run', '404 bytes', 'run', '404 bytes']);
});

/** So many tokens that end a text that one comes soon. */
const everySecond = Array.from({ length: 50 }, (_, i) => 2 * i);

const ways: readonly (readonly [string, 'llama' | 'bart', GenerateOptions])[] = [
  ['greedy', 'llama', {}],
  ['greedy, with an encoder', 'bart', {}],
  ['a forced end', 'bart', { forcedEosTokenId: 2 }],
  ['tokens that may not come', 'llama', { suppressTokens: [3, 5, 60, 61, 62] }],
  ['a minimum length', 'llama', { minNewTokens: 4, eosTokenId: everySecond }],
  ['beyond the first caches', 'llama', { maxNewTokens: 10 }],
  ['sampled', 'llama', { doSample: true, seed: 3, temperature: 3, repetitionPenalty: 1.2 }],
  ['beams', 'bart', { numBeams: 3 }],
];

test.each(ways)('%s: the same ahead of the host, and on a second device', async (_, name, own) => {
  const options = { maxNewTokens: 6, eosTokenId: null, ...own };
  using plain = await open(name, reference());
  const expected = await generate(plain, two, options);
  const queued = watched();
  using model = await open(name, queued.backend);
  expect(await generate(model, two, options)).toEqual(expected);

  const reads = queued.events.filter((event) => event.endsWith('bytes')).length;
  for (const after of [0, reads >> 1, reads - 1]) {
    const device = watched();
    using breaking = await open(name, device.backend);
    device.loseAfter = after;
    const errors: Error[] = [];
    const onDeviceLost = async (error: Error): Promise<LoadedModel> => (errors.push(error), model);
    expect({ after, ...(await generate(breaking, two, { ...options, onDeviceLost })) }).toEqual({ after, ...expected });
    expect(errors).toEqual([expect.any(DeviceLostError)]);
  }
});

test('an end that is found late ends there, and what served serves again', async () => {
  const { backend, events } = watched();
  using plain = await open('llama', reference());
  const { sequences } = await generate(plain, two, { maxNewTokens: 6, eosTokenId: null });
  const eosTokenId = [sequences[0]![4]!, sequences[1]![5]!];
  const expected = await generate(plain, two, { maxNewTokens: 12, eosTokenId });
  using model = await open('llama', backend);
  for (let round = 0; round < 2; round++) {
    events.length = 0;
    expect(await generate(model, two, { maxNewTokens: 12, eosTokenId })).toEqual(expected);
    const count = (event: string): number => events.filter((e) => e === event).length;
    expect(count('run')).toBeLessThanOrEqual(count('8 bytes'));
  }
});

test.each(['llama', 'bart'] as const)('%s: what may not come changes on the device as on the host', async (name) => {
  using plain = await open(name, reference());
  const { backend, events } = watched();
  using queued = await open(name, backend);
  const uneven = { inputIds: [[5, 6, 7, 9], [8, 9]] }; // prettier-ignore
  const until = (minNewTokens: number): GenerateOptions => ({
    maxNewTokens: 8,
    minNewTokens,
    eosTokenId: everySecond,
    suppressTokens: [7, 11, 13],
    beginSuppressTokens: everySecond.map((id) => 2 * id + 1).slice(0, 25),
  });
  const lengths = new Set<number>();
  // One after the other with the same programs: ends that were found late leave nothing behind.
  for (const least of [4, 1, 7, 0, 2]) {
    const onHost = await generate(plain, uneven, { ...until(least), stepScores: true });
    events.length = 0;
    for (const model of [plain, queued])
      expect((await generate(model, uneven, until(least))).sequences).toEqual(onHost.sequences);
    expect(events).not.toContain('808 bytes');
    lengths.add(Math.min(...onHost.lengths));
  }
  expect(lengths.size).toBeGreaterThan(3);
});

test('bans are written where they change, and only there', async () => {
  const inner = reference();
  let writes = 0;
  const write: Backend['write'] = (buffer, data, at) => {
    if (data instanceof Float32Array) writes++;
    inner.write(buffer, data, at);
  };
  using model = await open('bart', { ...inner, write });
  const count = async (options: GenerateOptions): Promise<number> => {
    writes = 0;
    await generate(model, prompt, { maxNewTokens: 6, forcedEosTokenId: null, ...options });
    return writes;
  };
  expect(await count({ eosTokenId: null })).toBe(0);
  expect(await count({ minNewTokens: 6 })).toBe(1);
  expect(await count({ minNewTokens: 3 })).toBe(2);
  expect(await count({ minNewTokens: 3, suppressTokens: [9], beginSuppressTokens: [8] })).toBe(3);
});

test('without another device, and where that is lost at once, the error is what it was', async () => {
  const device = watched();
  using model = await open('llama', device.backend);
  device.loseAfter = 2;
  await expect(generate(model, prompt, { maxNewTokens: 6 })).rejects.toThrow(DeviceLostError);
  const again = generate(model, prompt, { maxNewTokens: 6, onDeviceLost: async () => model });
  await expect(again).rejects.toThrow('webgpu: the device is lost: for a test');
});

test('a stream goes on where it was', async () => {
  using second = await open('llama', watched().backend);
  const whole = await generate(second, prompt, { maxNewTokens: 6, eosTokenId: null });
  const device = watched();
  using first = await open('llama', device.backend);
  const tokens: number[] = [];
  const options = { maxNewTokens: 6, eosTokenId: null, onDeviceLost: async () => second };
  for await (const [token] of stream(first, prompt, options)) if (tokens.push(token!) === 3) device.loseAfter = 0;
  expect(tokens).toEqual([...whole.sequences[0]!.subarray(3)]);
});
