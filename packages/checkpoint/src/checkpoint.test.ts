import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from './checkpoint.ts';
import { CheckpointError } from './errors.ts';
import { blobs } from './files/blobs.ts';
import type { Files } from './files/files.ts';
import { folder } from './files/folder.ts';
import { writeSafetensors, type StoredTensor } from './safetensors/write.ts';

const file = (tensors: Record<string, StoredTensor>): Blob => new Blob([writeSafetensors(tensors)]);
const f32 = (shape: number[], ...data: number[]): StoredTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});
const ramp = (n: number, from = 0): Float32Array => Float32Array.from({ length: n }, (_, i) => from + (i % 1000));

const shards = {
  'model-00001-of-00002.safetensors': file({ a: f32([2], 1, 2), unlisted: f32([1], 0) }),
  'model-00002-of-00002.safetensors': file({ b: f32([1, 2], 3, 4), c: f32([1], 5) }),
};
const index = (map: unknown): Blob => new Blob([JSON.stringify({ metadata: { total_size: 20 }, weight_map: map })]);
const weightMap = {
  b: 'model-00002-of-00002.safetensors',
  a: 'model-00001-of-00002.safetensors',
  c: 'model-00002-of-00002.safetensors',
};

describe('openCheckpoint', () => {
  it('reads single tensors, converted', async () => {
    const half = { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) } as const;
    const checkpoint = await openCheckpoint(blobs({ 'model.safetensors': file({ x: f32([3], 1, 2, 3), half }) }));
    expect([...checkpoint.tensors.keys()].sort()).toEqual(['half', 'x']);
    expect([...(await checkpoint.read('x', { as: 'f32', shape: [3] }))]).toEqual([1, 2, 3]);
    expect([...(await checkpoint.read('half', { as: 'f32' }))]).toEqual([1, -2]);
    expect([...(await checkpoint.read('half', { as: 'f16' }))]).toEqual([0x3c00, 0xc000]);
  });

  it('reads matrices with rows and columns exchanged, and refuses what is none', async () => {
    const written = await openCheckpoint(
      blobs({ 'model.safetensors': file({ w: f32([2, 3], 1, 2, 3, 4, 5, 6), v: f32([2], 7, 8) }) }),
    );
    const checkpoint = written.transposed(new Set(['w']));
    expect([...(await checkpoint.read('w', { as: 'f32', shape: [3, 2] }))]).toEqual([1, 4, 2, 5, 3, 6]);
    for await (const { info, data } of checkpoint.stream(['w'], { as: 'f32' }))
      expect([info.shape, ...data]).toEqual([[3, 2], 1, 4, 2, 5, 3, 6]);
    const again = checkpoint.transposed(new Set(['w']));
    expect([...(await again.read('w', { as: 'f32', shape: [2, 3] }))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => written.transposed(new Set(['v']))).toThrow('"v" in model.safetensors has shape [2]');
  });

  it('reads shards through their index', async () => {
    const checkpoint = await openCheckpoint(blobs({ ...shards, 'model.safetensors.index.json': index(weightMap) }));
    expect([...checkpoint.tensors.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect([...(await checkpoint.read('b', { as: 'f32' }))]).toEqual([3, 4]);
    expect(checkpoint.find('a').file).toBe('model-00001-of-00002.safetensors');
  });

  it('opens the default model', async () => {
    const path = fileURLToPath(new URL('../../../models/marian-de-en', import.meta.url));
    const checkpoint = await openCheckpoint(folder(path));
    expect(checkpoint.find('model.shared.weight', [6001, 256]).dtype).toBe('F16');
    const bias = await checkpoint.read('final_logits_bias', { as: 'f32', shape: [1, 6001] });
    expect(bias).toHaveLength(6001);
    let total = 0;
    for await (const { data } of checkpoint.stream(checkpoint.tensors.keys(), { as: 'f32' })) {
      total += data.length;
      expect(data.every(Number.isFinite)).toBe(true);
    }
    expect(total).toBe([...checkpoint.tensors.values()].reduce((n, { start, end }) => n + (end - start) / 2, 0));
  });

  it.each([
    [
      'no weights',
      blobs({ 'config.json': new Blob(['{}']) }),
      /blobs has no weights; expected model\.safetensors or model\.safetensors\.index\.json/,
    ],
    ['no weight_map', blobs({ 'model.safetensors.index.json': new Blob(['{}']) }), /weight_map is undefined/],
    [
      'a shard that is no name',
      blobs({ 'model.safetensors.index.json': index({ a: 1 }) }),
      /tensor "a" is in 1; expected the name of a file/,
    ],
    [
      'a shard outside the folder',
      blobs({ 'model.safetensors.index.json': index({ a: '../secret' }) }),
      /not a path inside the model: "\.\.\/secret"/,
    ],
    [
      'a missing shard',
      blobs({ 'model.safetensors.index.json': index({ a: 'gone.safetensors' }) }),
      /gone\.safetensors is missing/,
    ],
    [
      'a tensor missing in its shard',
      blobs({ ...shards, 'model.safetensors.index.json': index({ ...weightMap, d: weightMap.a }) }),
      /tensor "d" is missing in model-00001-of-00002\.safetensors, where model\.safetensors\.index\.json says it is/,
    ],
    [
      'a tensor in two shards',
      blobs({
        ...shards,
        'other.safetensors': file({ a: f32([1], 0), z: f32([1], 0) }),
        'model.safetensors.index.json': index({ ...weightMap, z: 'other.safetensors' }),
      }),
      /tensor "a" is both in model-00001-of-00002\.safetensors and in other\.safetensors/,
    ],
  ])('refuses %s', async (_, files, message) => {
    const error = await openCheckpoint(files).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
  });

  it('names what is missing or misshapen', async () => {
    const checkpoint = await openCheckpoint(
      blobs({ 'model.safetensors': file({ 'decoder.0.weight': f32([1, 2], 1, 2), 'encoder.0.bias': f32([1], 0) }) }),
    );
    expect(() => checkpoint.find('model.decoder.0.weight')).toThrow(
      /no tensor "model\.decoder\.0\.weight" in blobs\/model\.safetensors; it has 2 tensors, among them "decoder\.0\.weight"/,
    );
    expect(() => checkpoint.find('decoder.0.weight', [2, 1])).toThrow(/has shape \[1, 2\]; expected \[2, 1\]/);
    await expect(checkpoint.read('decoder.0.weight', { as: 'i32' })).rejects.toThrow(
      /tensor "decoder\.0\.weight" \(F32 \[1, 2\], 2 elements, model\.safetensors bytes \d+ to \d+\) cannot be read as i32/,
    );
  });
});

describe('Checkpoint.stream', () => {
  const large = 5_000_001;
  const big = file({
    small1: f32([2], 1, 2),
    large: { dtype: 'F32', shape: [large], data: ramp(large) },
    ids: { dtype: 'I64', shape: [3], data: BigInt64Array.of(7n, 8n, 9n) },
    empty: f32([0]),
    small2: f32([1], 3),
  });

  /** Counts the bytes being read or held by the reader at once. */
  function measured(inner: Files): { files: Files; reads: number[]; running: () => number } {
    const reads: number[] = [];
    let running = 0;
    const files: Files = {
      ...inner,
      async read(path, options) {
        running++;
        try {
          const bytes = await inner.read(path, options);
          reads.push(bytes.length);
          return bytes;
        } finally {
          running--;
        }
      },
    };
    return { files, reads, running: () => running };
  }

  it('gives every tensor once, in order, large ones in pieces, each with its type', async () => {
    const { files, reads } = measured(blobs({ 'model.safetensors': big }));
    const checkpoint = await openCheckpoint(files);
    reads.length = 0;
    const got = new Map<string, number[]>();
    const ended: string[] = [];
    const as = (info: { dtype: string }): 'i32' | 'f32' => (info.dtype === 'I64' ? 'i32' : 'f32');
    for await (const piece of checkpoint.stream(checkpoint.tensors.keys(), { as })) {
      const values = got.get(piece.info.name) ?? [];
      expect(piece.offset).toBe(values.length);
      expect(piece.offset % 4).toBe(0);
      expect(piece.data).toBeInstanceOf(piece.as === 'i32' ? Int32Array : Float32Array);
      for (const value of piece.data) values.push(value);
      got.set(piece.info.name, values);
      if (piece.last) ended.push(piece.info.name);
    }
    expect(ended.toSorted()).toEqual(['empty', 'ids', 'large', 'small1', 'small2']);
    expect(got.get('small1')).toEqual([1, 2]);
    expect(got.get('ids')).toEqual([7, 8, 9]);
    expect(got.get('empty')).toEqual([]);
    expect(got.get('small2')).toEqual([3]);
    expect(got.get('large')!.every((value, i) => value === i % 1000)).toBe(true);
    expect(got.get('large')).toHaveLength(large);
    expect(Math.max(...reads)).toBeLessThanOrEqual(8 << 20);
    expect(reads.length).toBeLessThan(6);
  });

  it('stops reading when the loop is left, and when the signal says so', async () => {
    const { files, reads } = measured(blobs({ 'model.safetensors': big }));
    const checkpoint = await openCheckpoint(files);
    reads.length = 0;
    for await (const piece of checkpoint.stream(['small1', 'large'], { as: 'f32' }))
      if (piece.info.name === 'large') break;
    await new Promise((resolve) => setTimeout(resolve, 20));
    // The whole would take four: small1, and large in three pieces.
    expect(reads.length).toBeLessThanOrEqual(3);

    const abort = new AbortController();
    const run = async (): Promise<void> => {
      for await (const _ of checkpoint.stream(['large'], { as: 'f32', signal: abort.signal }))
        abort.abort(new Error('enough'));
    };
    await expect(run()).rejects.toThrow('enough');
  });

  it('reports a file that became shorter', async () => {
    const inner = blobs({ 'model.safetensors': big });
    const checkpoint = await openCheckpoint(inner);
    const short = blobs({ 'model.safetensors': big.slice(0, 1000) });
    Object.assign(inner, { read: short.read });
    const run = async (): Promise<void> => {
      for await (const _ of checkpoint.stream(['large'], { as: 'f32' }));
    };
    await expect(run()).rejects.toThrow(/bytes \d+ to \d+ of model\.safetensors do not exist; it has 1000 bytes/);
  });
});
