import { fileURLToPath } from 'node:url';
import { blobs, CheckpointError, folder, memorySink, openCheckpoint, readJson } from '@transept/checkpoint';
import { reference } from '@transept/tensor';
import { expect, it } from 'vitest';
import { loadModel } from './load.ts';
import { saveModel } from './save.ts';

const fixture = (name: string): ReturnType<typeof folder> =>
  folder(fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url)));

it('writes what was loaded, bit for bit, in as many files as asked for', async () => {
  const files = fixture('stories260k-llama');
  using loaded = await loadModel(files, reference());
  const saved = new Map<string, Blob>();
  const seen: number[] = [];
  await saveModel(loaded, memorySink(saved), {
    maxShardBytes: 300_000,
    onProgress: ({ bytes }) => void seen.push(bytes),
  });
  expect([...saved.keys()]).toEqual([
    'config.json',
    ...[1, 2, 3, 4].map((n) => `model-0000${n}-of-00004.safetensors`),
    'model.safetensors.index.json',
  ]);
  for (const [path, blob] of saved) if (path.startsWith('model-')) expect(blob.size).toBeLessThan(310_000);

  const again = blobs(Object.fromEntries(saved));
  const [before, after] = [await openCheckpoint(files), await openCheckpoint(again)];
  expect(after.metadata).toEqual({ format: 'pt' });
  expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
  for (const [name, { shape }] of before.tensors)
    expect(await after.read(name, { as: 'f32', shape })).toEqual(await before.read(name, { as: 'f32' }));
  expect(await readJson(again, 'config.json')).toEqual({ ...(await readJson(files, 'config.json')), dtype: 'float32' });
  const index = await readJson(again, 'model.safetensors.index.json');
  expect(index.metadata).toEqual({ total_size: seen.at(-1) });
  using reloaded = await loadModel(again, reference());
  expect(reloaded.bytes).toBe(loaded.bytes);
});

it('writes matrices that were exchanged as they were loaded the way they were', async () => {
  const files = fixture('tiny-random-gpt2');
  using loaded = await loadModel(files, reference());
  const saved = new Map<string, Blob>();
  await saveModel(loaded, memorySink(saved));
  const [before, after] = [await openCheckpoint(files), await openCheckpoint(blobs(Object.fromEntries(saved)))];
  expect(after.find('transformer.h.0.mlp.c_fc.weight').shape).toEqual([32, 128]);
  for (const [name, { shape }] of after.tensors)
    expect(await after.read(name, { as: 'f32' })).toEqual(await before.read(name, { as: 'f32', shape }));
});

it.each(['f16', 'q8', 'q4'] as const)('writes weights stored as %s as what they stand for', async (weights) => {
  using loaded = await loadModel(fixture('stories260k-llama'), reference(), { weights });
  const saved = new Map<string, Blob>();
  await saveModel(loaded, memorySink(saved), { dtype: 'bf16' });
  using reloaded = await loadModel(blobs(Object.fromEntries(saved)), reference());
  expect(reloaded.config['dtype']).toBe('bfloat16');
  const checkpoint = await openCheckpoint(blobs(Object.fromEntries(saved)));
  const original = await openCheckpoint(fixture('stories260k-llama'));
  const name = 'model.layers.1.self_attn.k_proj.weight';
  const [a, b] = [await original.read(name, { as: 'f32' }), await checkpoint.read(name, { as: 'f32' })];
  const worst = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
  const largest = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  expect(worst).toBeLessThan(largest * { f16: 2 ** -8, q8: 0.5 / 127 + 2 ** -8, q4: 1 / 8 + 2 ** -8 }[weights]);
});

it('stops at a signal, and at a value that does not fit', async () => {
  const backend = reference();
  using loaded = await loadModel(fixture('stories260k-llama'), backend);
  const saved = new Map<string, Blob>();
  await expect(saveModel(loaded, memorySink(saved), { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow(
    'stop',
  );
  const norm = { name: 'model.norm.weight', shape: [64], dtype: 'f32', source: { parts: [] } } as const;
  backend.write(loaded.parameter(norm), Float32Array.of(1e6));
  await expect(saveModel(loaded, memorySink(saved), { dtype: 'f16' })).rejects.toThrow(CheckpointError);
  expect(saved.has('model.safetensors')).toBe(false);
});
