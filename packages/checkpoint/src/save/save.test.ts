import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openCheckpoint } from '../checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import { blobs } from '../files/blobs.ts';
import { folder } from '../files/folder.ts';
import { saveCheckpoint, type SavedTensor } from './save.ts';
import { folderSink, memorySink } from './sink.ts';

const tensor = (name: string, data: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): SavedTensor => ({
  name,
  dtype: data instanceof Float32Array ? 'F32' : 'U8',
  shape: [data.length],
  data: () => data,
});

async function* parts(...runs: number[][]): AsyncGenerator<Float32Array<ArrayBuffer>> {
  for (const run of runs) yield Float32Array.from(run);
}

describe('saveCheckpoint', () => {
  it('writes a folder that can be opened', async () => {
    const path = await mkdtemp(join(tmpdir(), 'transept-save-'));
    onTestFinished(() => rm(path, { recursive: true }));
    const inner = join(path, 'new', 'model');
    const streamed: SavedTensor = { name: 's', dtype: 'F32', shape: [2, 2], data: () => parts([1, 2, 3], [4]) };
    await saveCheckpoint(folderSink(inner), { model_type: 'x' }, [tensor('b', Uint8Array.of(1, 2, 3)), streamed], {
      documents: { 'generation_config.json': { eos_token_id: 2 } },
    });
    expect((await readdir(inner)).sort()).toEqual(['config.json', 'generation_config.json', 'model.safetensors']);
    expect(JSON.parse(await readFile(join(inner, 'config.json'), 'utf8'))).toEqual({ model_type: 'x' });
    const checkpoint = await openCheckpoint(folder(inner));
    expect([...(await checkpoint.read('s', { as: 'f32', shape: [2, 2] }))]).toEqual([1, 2, 3, 4]);
    expect([...(await checkpoint.read('b', { as: 'u8' }))]).toEqual([1, 2, 3]);
    expect(checkpoint.find('s').start % 8).toBe(0);
  });

  it('puts into one file what fits, and a tensor that is larger into one of its own', async () => {
    const files = new Map<string, Blob>();
    const sizes = { a: 10, b: 10, c: 100, d: 10 };
    const tensors = Object.entries(sizes).map(([name, size]) => tensor(name, new Uint8Array(size)));
    await saveCheckpoint(memorySink(files), {}, tensors, { maxShardBytes: 25 });
    const { weight_map: map } = JSON.parse(await files.get('model.safetensors.index.json')!.text()) as {
      weight_map: Record<string, string>;
    };
    const file = (n: number): string => `model-0000${n}-of-00003.safetensors`;
    expect(map).toEqual({ a: file(1), b: file(1), c: file(2), d: file(3) });
    expect((await openCheckpoint(blobs(Object.fromEntries(files)))).tensors.size).toBe(4);
  });

  it.each<[string, SavedTensor[], RegExp]>([
    [
      'too few bytes',
      [{ ...tensor('x', new Uint8Array(3)), shape: [4] }],
      /"x": U8 \[4\] needs 4 bytes, its data has 3/,
    ],
    [
      'too many',
      [{ name: 'x', dtype: 'F32', shape: [2], data: () => parts([1, 2], [3]) }],
      /needs 8 bytes, its data has more/,
    ],
    ['a name twice', [tensor('x', new Uint8Array(1)), tensor('x', new Uint8Array(1))], /"x" is given twice/],
    ['the name of the metadata', [tensor('__metadata__', new Uint8Array(1))], /cannot be called "__metadata__"/],
  ])('refuses %s, and leaves no file of it', async (_, tensors, message) => {
    const path = await mkdtemp(join(tmpdir(), 'transept-save-'));
    onTestFinished(() => rm(path, { recursive: true }));
    const error = await saveCheckpoint(folderSink(path), {}, tensors).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
    expect((await readdir(path)).filter((name) => name !== 'config.json')).toEqual([]);
  });
});
