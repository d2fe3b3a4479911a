import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { diskCache } from './disk-cache.ts';

const { getBuiltinModule } = process;
const repo = 'org/model';
const id = 'abc';
let folder: string;
let blobs: string;
let lock: string;

beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'transept-disk-'));
  blobs = join(folder, 'models--org--model', 'blobs');
  lock = join(blobs, `${id}.transept-lock`);
  await fs.mkdir(blobs, { recursive: true });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true, force: true });
});

const longAgo = new Date(Date.now() - 60_000);
const abandon = async (path: string): Promise<void> => {
  await fs.writeFile(path, 'of a process that is gone');
  await fs.utimes(path, longAgo, longAgo);
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the lock of a blob', () => {
  it.each([[''], ['-taking']])('has one owner at a time, when all find it abandoned at once%s', async (ending) => {
    await abandon(lock);
    await abandon(lock + ending);
    // Each acts a little later than the one before it on what it saw.
    let seen = 0;
    const stat = async (path: string) => {
      const result = await fs.stat(path);
      if (path === lock) await pause(20 * seen++);
      return result;
    };
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) =>
      name === 'node:fs/promises' ? { ...fs, stat } : getBuiltinModule(name)) as typeof getBuiltinModule);
    let [owners, most] = [0, 0];
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        const blob = await diskCache(folder).open(repo, id);
        most = Math.max(most, ++owners);
        await pause(100);
        owners--;
        await blob.close();
      }),
    );
    expect(most).toBe(1);
    expect((await fs.readdir(blobs)).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it('is not given back by one from whom it was taken over, who can finish nothing either', async () => {
    const first = await diskCache(folder).open(repo, id);
    await first.append(new Uint8Array(3));
    await fs.utimes(lock, longAgo, longAgo);
    const second = await diskCache(folder).open(repo, id);
    await expect(first.finish()).rejects.toThrow(/abc\.transept-incomplete was taken over by another process/);
    await first.close();
    expect(await fs.readdir(blobs)).toContain('abc.transept-lock');
    await second.append(new Uint8Array(2));
    await second.finish();
    expect((await diskCache(folder).blob(repo, id))?.size).toBe(5);
    expect(await fs.readdir(blobs)).toEqual([id]);
  });
});
