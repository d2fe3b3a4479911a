// Programs that serve again, and models that are disposed while something runs with them.
import { fileURLToPath } from 'node:url';
import { folder } from '@transept/checkpoint';
import { loadModel } from '@transept/models';
import { BackendError, reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { expect, test } from 'vitest';
import { forward } from './forward.ts';
import { generate, stream } from './generate.ts';
import { borrow, keptIdle } from './pool.ts';

const stories = folder(fileURLToPath(new URL('../../../fixtures/stories260k-llama', import.meta.url)));
const inputs = { inputIds: [[1, 403, 407]] };

test('a second call of the same size takes no more memory', async () => {
  using backend = reference();
  using model = await loadModel(stories, backend);
  const run = async (): Promise<number> => {
    await generate(model, inputs, { maxNewTokens: 3 });
    await forward(model, inputs);
    return backend.memory.bytes;
  };
  expect(await run()).toBe(await run());
});

test('what runs at the same time does not share programs', async () => {
  using backend = reference();
  using model = await loadModel(stories, backend);
  const tell = (first: number) => generate(model, { inputIds: [[1, first]] }, { maxNewTokens: 4 });
  const alone = [await tell(403), await tell(407)];
  expect(alone[0]!.sequences).not.toEqual(alone[1]!.sequences);
  expect(await Promise.all([tell(403), tell(407)])).toEqual(alone);
});

test('a model that is disposed goes when the last call has ended, and takes no other', async () => {
  using backend = reference();
  const model = await loadModel(stories, backend);
  const whole = await generate(model, inputs, { maxNewTokens: 5 });
  const tokens: number[] = [];
  for await (const [token] of stream(model, inputs, { maxNewTokens: 5 })) {
    tokens.push(token!);
    model[Symbol.dispose]();
    expect(backend.memory.bytes).toBeGreaterThan(0);
  }
  expect(tokens).toEqual([...whole.sequences[0]!.subarray(3)]);
  expect(backend.memory.bytes).toBe(0);
  const after = generate(model, inputs, { maxNewTokens: 5 });
  await expect(after).rejects.toThrow(BackendError);
  await expect(after).rejects.toThrow(/^load: .*stories260k-llama was disposed; load it again$/);
});

test('idle programs make room for others where memory ends', async () => {
  const options = { maxNewTokens: 3, eosTokenId: null };
  const batches = [1, 2, 3].map((rows) => ({ inputIds: Array.from({ length: rows }, () => [1, 403, 407]) }));
  const inner = reference();
  let most = Infinity;
  const check = (bytes: number): void => {
    if (bytes > most) throw new BackendError(`alloc: ${bytes} bytes are more than ${most}`);
  };
  const backend: Backend = {
    ...inner,
    alloc(bytes) {
      check(inner.memory.bytes + bytes);
      return inner.alloc(bytes);
    },
    async load(...call) {
      using undo = new DisposableStack();
      const program = undo.use(await inner.load(...call));
      check(inner.memory.bytes);
      undo.move();
      return program;
    },
  };
  const alone = [];
  for (const batch of batches) {
    using model = await loadModel(stories, inner);
    alone.push((await generate(model, batch, options)).sequences);
  }
  // As much as the largest needs by itself, and then less than it needs.
  most = inner.memory.peak;
  using model = await loadModel(stories, backend);
  for (const [i, batch] of batches.entries())
    expect((await generate(model, batch, options)).sequences).toEqual(alone[i]);
  most = inner.memory.bytes >> 1;
  await expect(generate(model, { inputIds: [[1, 403]] }, options)).rejects.toThrow(/^alloc: \d+ bytes are more than/);
});

test('what fails leaves nothing behind', async () => {
  using inner = reference();
  let writes = Infinity;
  const backend = {
    ...inner,
    write: (...call: Parameters<typeof inner.write>) => {
      if (writes-- <= 0) throw new BackendError('lost');
      inner.write(...call);
    },
  };
  using model = await loadModel(stories, backend);
  await generate(model, inputs, { maxNewTokens: 2 });
  for (let allowed = 0; ; allowed++) {
    const { bytes } = inner.memory;
    writes = allowed;
    // A row more each time: nothing idle is of that size.
    const rows = Array.from({ length: allowed + 2 }, () => [1, 403, 407]);
    const error = await generate(model, { inputIds: rows }, { maxNewTokens: 2 }).catch((e: unknown) => e);
    writes = Infinity;
    if (!(error instanceof BackendError)) break;
    expect({ allowed, bytes: inner.memory.bytes }).toEqual({ allowed, bytes });
    expect(allowed).toBeLessThan(20);
  }
});

test.each([
  ['small', 1, keptIdle.most],
  ['large', keptIdle.bytes / 8, 8],
  ['huge', keptIdle.bytes, keptIdle.least],
])('of %s things the latest are kept', async (_, bytes, kept) => {
  using model = await loadModel(stories, reference());
  const gone: number[] = [];
  const use = async (i: number): Promise<void> => {
    const make = async () => ({ bytes, [Symbol.dispose]: () => void gone.push(i) });
    using borrowed = await borrow(model, 'thing', `${i}`, make);
    borrowed.done = true;
  };
  const all = Array.from({ length: 20 }, (_, i) => i);
  for (const i of all) await use(i);
  expect(gone).toEqual(all.slice(0, -kept));
  await use(19);
  expect(gone).toHaveLength(20 - kept);
});

test('what is idle knows what it takes', async () => {
  using backend = reference();
  using model = await loadModel(stories, backend);
  await generate(model, { inputIds: [[1, 403, 407]] }, { maxNewTokens: 2, numReturnSequences: 2, doSample: true });
  const key = JSON.stringify([1, 8, 8, 2, 'logits', false]);
  using borrowed = await borrow(model, 'decoding', key, () => Promise.reject(new Error('there is none')));
  expect(borrowed.it).toHaveProperty('bytes', backend.memory.bytes - model.bytes);
});
