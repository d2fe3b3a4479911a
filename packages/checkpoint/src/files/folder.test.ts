import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJson } from '../json.ts';
import { folder } from './folder.ts';

describe('folder', () => {
  let path: string;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'transept-'));
    await mkdir(join(path, 'sub'));
    await writeFile(join(path, 'data.bin'), Uint8Array.of(0, 1, 2, 3, 4));
    await writeFile(join(path, 'sub', 'config.json'), '\ufeff{"a": [1]}');
    await writeFile(join(path, 'list.json'), '[1, 2]');
  });
  afterAll(() => rm(path, { recursive: true }));

  it('reads whole files and ranges', async () => {
    const files = folder(path);
    expect(await files.size('data.bin')).toBe(5);
    expect([...(await files.read('data.bin'))]).toEqual([0, 1, 2, 3, 4]);
    expect([...(await files.read('data.bin', { start: 1, end: 3 }))]).toEqual([1, 2]);
    expect([...(await files.read('data.bin', { start: 5 }))]).toEqual([]);
    expect(await files.has('data.bin')).toBe(true);
    expect(await files.has('sub')).toBe(false);
    expect(await files.has('nothing')).toBe(false);
  });

  it('refuses what is not there and what lies outside', async () => {
    const files = folder(path);
    await expect(files.read('data.bin', { start: 2, end: 6 })).rejects.toThrow(
      /bytes 2 to 6 of .*data\.bin do not exist; it has 5/,
    );
    await expect(files.read('data.bin', { start: 3, end: 2 })).rejects.toThrow(/bytes 3 to 2/);
    await expect(files.size('model.safetensors')).rejects.toThrow(
      /model\.safetensors is missing in .*; it has: data\.bin, list\.json, sub/,
    );
    await expect(folder(join(path, 'none')).read('x')).rejects.toThrow(/no such folder/);
    for (const bad of ['../data.bin', '/etc/hostname', 'a//b', '', '.', 'sub/..', 'C:x', 'a\\b'])
      await expect(files.read(bad)).rejects.toThrow(/not a path inside the model/);
  });

  it('stops at a signal', async () => {
    await expect(folder(path).read('data.bin', { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow(
      'stop',
    );
  });

  it('gives JSON objects, and says what is wrong with others', async () => {
    const files = folder(path);
    expect(await readJson(files, 'sub/config.json')).toEqual({ a: [1] });
    await expect(readJson(files, 'list.json')).rejects.toThrow(/list\.json holds \[1,2\]; expected an object/);
    await expect(readJson(files, 'list.json', { limit: 3 })).rejects.toThrow(/has 6 bytes; expected at most 3/);
    await expect(readJson(files, 'data.bin')).rejects.toThrow(/data\.bin is not JSON/);
  });
});
