import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import { writeSafetensors } from '../safetensors/write.ts';
import type { HubCache } from './cache.ts';
import { diskCache } from './disk-cache.ts';
import { hub, type HubOptions } from './hub.ts';
import { segmentCache, type SegmentStore } from './segment-cache.ts';
import { hubServer, type HubServer } from './testing/hub-server.ts';

const repo = 'org/model';
const small = new TextEncoder().encode('{"model_type":"llama"}');
const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);

let server: HubServer;
let folder: string;
let caches: Record<string, () => HubCache>;

/** Keys and blobs in memory, as a browser's storage keeps them. */
function memoryStore(): SegmentStore {
  const held = new Map<string, Blob>();
  return {
    name: 'memory',
    get: async (key) => held.get(key),
    put: async (key, value) => void held.set(key, value),
    delete: async (key) => void held.delete(key),
    keys: async (prefix) => [...held.keys()].filter((key) => key.startsWith(prefix)),
  };
}

beforeEach(async () => {
  server = await hubServer(repo, {
    'config.json': small,
    'model.bin': large,
    'sub folder/ä.bin': large.slice(0, 5000),
  });
  folder = await mkdtemp(join(tmpdir(), 'transept-hub-'));
  const store = memoryStore();
  caches = { disk: () => diskCache(folder), segments: () => segmentCache(store, { segmentBytes: 65_536 }) };
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const open = (cache: HubCache, options: HubOptions = {}): ReturnType<typeof hub> =>
  hub(repo, { endpoint: server.endpoint, cache, token: '', retryMs: 1, stallMs: 5000, ...options });

describe.each(['disk', 'segments'])('hub, with a cache of %s', (kind) => {
  const cache = (): HubCache => caches[kind]!();

  it('fetches a file once, serves any part of it, and asks no more when it is there', async () => {
    const files = open(cache());
    expect(await files.has('config.json')).toBe(true);
    expect(await files.has('none.json')).toBe(false);
    expect(await files.size('model.bin')).toBe(large.length);
    expect(await files.read('config.json')).toEqual(small);
    expect(await files.read('model.bin', { start: 10, end: 20 })).toEqual(large.slice(10, 20));
    expect(await files.read('model.bin', { start: 299_000 })).toEqual(large.slice(299_000));
    expect(await files.read('model.bin', { start: 5, end: 200_000 })).toEqual(large.slice(5, 200_000));
    await files.verified!();
    expect(server.seen.filter((line) => line.startsWith('GET /cdn/'))).toEqual(['GET /cdn/model.bin']);

    server.seen.length = 0;
    const again = open(cache());
    expect(await again.read('model.bin')).toEqual(large);
    expect(await again.read('config.json')).toEqual(small);
    expect(await again.has('none.json')).toBe(false);
    // One question for the commit of `main`.
    expect(server.seen).toEqual(['HEAD /org/model/resolve/main/model.bin']);
  });

  it('reads names that need care, and refuses bytes that there are not', async () => {
    const files = open(cache());
    expect(await files.read('sub folder/ä.bin', { start: 4990 })).toEqual(large.slice(4990, 5000));
    await expect(files.read('model.bin', { start: 0, end: 300_001 })).rejects.toThrow(/do not exist; it has 300000/);
    await expect(files.read('none.bin')).rejects.toThrow(/none\.bin is missing in http/);
    await expect(files.read('../model.bin')).rejects.toThrow(/not a path inside/);
  });

  it('goes on where a transfer broke off, in this session and in the next', async () => {
    // Each transfer brings so much at most; what was on its way when it broke may be lost.
    server.faults.breaks = [100_000, ...Array.from({ length: 20 }, () => 30_000)];
    const files = open(cache());
    expect(await files.read('model.bin', { start: 0, end: 120_000 })).toEqual(large.slice(0, 120_000));
    server.faults.breaks = Array.from({ length: 9 }, () => 0);
    await expect(files.read('model.bin')).rejects.toThrow(/broke off 5 times: .* bytes are kept/);

    server.faults.breaks = [];
    server.seen.length = 0;
    expect(await open(cache()).read('model.bin')).toEqual(large);
    const [, range] = /^GET \/cdn\/model\.bin bytes=(\d+)-$/.exec(
      server.seen.find((line) => line.startsWith('GET /cdn/'))!,
    )!;
    expect(Number(range)).toBeGreaterThanOrEqual(kind === 'disk' ? 120_000 : 65_536);
  });

  it('notices a body that ends early without an error', async () => {
    server.faults.ends = [1000, 0];
    expect(await open(cache()).read('model.bin')).toEqual(large);
  });

  it('starts from the beginning where ranges are refused, and still ends', async () => {
    server.faults.noRanges = true;
    server.faults.breaks = [150_000];
    const files = open(cache());
    expect(await files.read('model.bin')).toEqual(large);
    expect(server.seen.filter((line) => line.includes('/cdn/'))).toHaveLength(2);
  });

  it('takes the word of nobody for the contents: a wrong hash is an error, and the bytes are gone', async () => {
    server.faults.instead = large.map((byte) => byte ^ 1);
    const error = await open(cache())
      .read('model.bin')
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(/its SHA-256 is [0-9a-f]{64}; expected [0-9a-f]{64}/);
    delete server.faults.instead;
    expect(await open(cache()).read('model.bin')).toEqual(large);
  });

  it('fails a load whose last bytes turn out wrong, even when nobody asked for them', async () => {
    const wrong = large.slice();
    wrong[299_999]! ^= 1;
    server.faults.instead = wrong;
    const files = open(cache());
    expect(await files.read('model.bin', { start: 0, end: 1000 })).toEqual(large.slice(0, 1000));
    await expect(files.verified!()).rejects.toThrow(/SHA-256/);
  });

  it.each<[string, (length: number) => Uint8Array, RegExp]>([
    ['more', (length) => new Uint8Array(length + 1), /gave more than the 300000 bytes that were announced/],
    [
      'fewer',
      (length) => new Uint8Array(length - 1),
      /was answered with "bytes .*\/299999"|it ended at byte 299999 of 300000/,
    ],
  ])('refuses %s bytes than were announced', async (_, instead, message) => {
    server.faults.instead = instead(large.length);
    const error = await open(cache(), { attempts: 2 })
      .read('model.bin')
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
  });

  it('works without hashes and sizes', async () => {
    Object.assign(server.faults, { noHash: true, noSize: true });
    const files = open(cache());
    expect(await files.size('model.bin')).toBe(large.length);
    expect(await files.read('model.bin', { start: 7, end: 9 })).toEqual(large.slice(7, 9));
    server.seen.length = 0;
    expect(await open(cache()).read('model.bin')).toEqual(large);
    expect(server.seen).toHaveLength(1);
  });

  it('uses the cache when the hub is away or not to be asked', async () => {
    await open(cache()).read('config.json');
    for (const options of [{ offline: true }, { endpoint: 'http://127.0.0.1:1' }]) {
      const files = open(cache(), options);
      expect(await files.read('config.json')).toEqual(small);
      expect(await files.has('model.bin')).toBe(false);
    }
    await expect(hub('org/other', { offline: true, cache: cache() }).has('config.json')).rejects.toThrow(
      /org\/other is not in the cache/,
    );
  });

  it('follows a branch to its new commit, and fetches only what changed', async () => {
    const first = open(cache());
    await first.read('config.json');
    await first.read('model.bin');
    server.commit = 'f'.repeat(40);
    server.files = { ...server.files, 'config.json': new TextEncoder().encode('{}') };
    server.seen.length = 0;
    const second = open(cache());
    expect(await second.read('config.json')).toEqual(new TextEncoder().encode('{}'));
    expect(await second.read('model.bin')).toEqual(large);
    expect(server.seen.some((line) => line.includes('/cdn/'))).toBe(false);
    expect(
      await open(cache(), { revision: '0123456789abcdef0123456789abcdef01234567', offline: true }).read('config.json'),
    ).toEqual(small);
  });

  it('lists and deletes', async () => {
    const files = open(cache());
    await files.read('config.json');
    await files.read('model.bin');
    const [model, ...none] = await cache().models();
    expect(none).toEqual([]);
    expect(model).toMatchObject({ repo, revisions: ['main'], files: ['config.json', 'model.bin'] });
    expect(model!.bytes).toBeGreaterThanOrEqual(large.length + small.length);
    expect(await cache().remove(repo)).toBe(true);
    expect(await cache().remove(repo)).toBe(false);
    expect(await cache().models()).toEqual([]);
  });

  it('stops at a signal, and goes on later', async () => {
    server.faults.stall = true;
    const abort = new AbortController();
    const files = open(cache());
    const reading = files.read('model.bin', { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stop')), 50);
    await expect(reading).rejects.toThrow('stop');
    server.faults.stall = false;
    expect(await files.read('model.bin')).toEqual(large);
  });

  it('looks a file up for all who ask, also when the first of them gives up', async () => {
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => {
      server.faults.answer = (request, response) => {
        if (request.method !== 'HEAD') return false;
        answer = () => response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
        resolve();
        return true;
      };
    });
    const abort = new AbortController();
    const files = open(cache());
    const first = files.has('none.json', { signal: abort.signal });
    const second = files.has('none.json');
    await asked;
    abort.abort(new Error('stop'));
    await expect(first).rejects.toThrow('stop');
    answer();
    expect(await second).toBe(false);
    expect(server.seen).toHaveLength(1);
  });

  it('gives up a look-up that nobody waits for, and asks again for who comes later', async () => {
    const abort = new AbortController();
    server.faults.answer = () => true;
    const files = open(cache());
    const first = files.has('none.json', { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stop')), 20);
    await expect(first).rejects.toThrow('stop');
    delete server.faults.answer;
    expect(await files.has('none.json')).toBe(false);
  });

  it('goes on with a transfer when the one who began it has gone', async () => {
    const abort = new AbortController();
    const files = open(cache(), { attempts: 1 });
    expect(await files.read('model.bin', { start: 0, end: 10, signal: abort.signal })).toEqual(large.slice(0, 10));
    abort.abort(new Error('stop'));
    expect(await files.read('model.bin')).toEqual(large);
    expect(server.seen.filter((line) => line.startsWith('GET /cdn/'))).toHaveLength(1);
  });

  it('lets go at once who gives up while another reads', async () => {
    server.faults.stall = true;
    const abort = new AbortController();
    const both = [new AbortController(), abort];
    const files = open(cache());
    const [first, second] = both.map(({ signal }) => files.read('model.bin', { signal }));
    setTimeout(() => abort.abort(new Error('stop')), 50);
    await expect(second).rejects.toThrow('stop');
    both[0]!.abort(new Error('that, too'));
    await expect(first).rejects.toThrow('that, too');
  });

  it('takes a transfer that stalls for broken', async () => {
    server.faults.stall = true;
    await expect(open(cache(), { attempts: 2, stallMs: 40 }).read('model.bin')).rejects.toThrow(
      /nothing came for 0\.04 s/,
    );
  });
});

describe('hub', () => {
  it('sends the token to the hub and to nobody else', async () => {
    server.token = 'secret';
    expect(await open(diskCache(folder), { token: 'secret' }).read('model.bin')).toEqual(large);
    await expect(open(diskCache(join(folder, 'b')), { token: 'wrong' }).read('model.bin')).rejects.toThrow(
      /granted access/,
    );
  });

  it.each<[string, Partial<HubOptions> & { repo?: string }, RegExp]>([
    ['model', { repo: 'org/other' }, /there is no model org\/other at http.*, or it is private: then give a token/],
    ['revision', { revision: 'v2' }, /org\/model has no revision "v2"/],
  ])('says which %s is missing', async (_, { repo: other = repo, ...options }, message) => {
    const files = hub(other, { endpoint: server.endpoint, cache: diskCache(folder), ...options });
    await expect(files.has('config.json')).rejects.toThrow(message);
  });

  it.each([
    ['asks the interface for programs', false],
    ['takes the answer of where the bytes lie', true],
  ])('%s where redirects are not shown, as in browsers', async (_, noHash) => {
    server.faults.noHash = noHash;
    const hidden = async (url: string, init: RequestInit): Promise<Response> => {
      const response = await fetch(url, init);
      if (init.redirect !== 'manual' || response.status !== 302) return response;
      return Object.defineProperties(new Response(), { type: { value: 'opaqueredirect' }, status: { value: 0 } });
    };
    const files = open(diskCache(folder), { fetch: hidden });
    expect(await files.size('model.bin')).toBe(large.length);
    expect(await files.has('none.bin')).toBe(false);
    server.faults.instead = large.map((byte) => byte ^ 1);
    if (noHash) expect(await files.read('model.bin')).toEqual(server.faults.instead);
    else await expect(files.read('model.bin')).rejects.toThrow(/SHA-256/);
    expect(await diskCache(folder).commitOf(repo, 'main')).toBe(server.commit);
  });

  it('takes no answer about a model that does not end', async () => {
    server.faults.answer = (request, response) => {
      if (!request.url!.startsWith('/api/')) return false;
      const more = (): boolean => response.write('['.repeat(1 << 20), () => response.destroyed || setImmediate(more));
      return more() || true;
    };
    const hidden = async (url: string, init: RequestInit): Promise<Response> => {
      const response = await fetch(url, init);
      if (init.redirect !== 'manual' || response.status !== 302) return response;
      return Object.defineProperties(new Response(), { type: { value: 'opaqueredirect' }, status: { value: 0 } });
    };
    await expect(open(diskCache(folder), { fetch: hidden }).size('model.bin')).rejects.toThrow(
      /hub: http:.*\/paths-info\/main gave more than 16777216 bytes about a model; that is no hub/,
    );
  });

  it('refuses names that are none', () => {
    for (const name of ['model', 'a/b/c', '../x', 'a/..', 'a--b/c', '/a', 'a/b?c'])
      expect(() => hub(name)).toThrow(/no name of a model/);
  });

  it('lies on disk as huggingface_hub lays it', async () => {
    await open(diskCache(folder)).read('model.bin');
    const at = join(folder, 'models--org--model');
    const sha256 = createHash('sha256').update(large).digest('hex');
    expect(await readFile(join(at, 'refs', 'main'), 'utf8')).toBe(server.commit);
    expect(await readdir(join(at, 'blobs'))).toEqual([sha256]);
    expect(await readFile(join(at, 'snapshots', server.commit, 'model.bin'))).toEqual(Buffer.from(large));
  });

  it('lets two at once fetch a file one time', async () => {
    const [a, b] = [open(diskCache(folder)), open(diskCache(folder))];
    const both = await Promise.all([a.read('model.bin'), b.read('model.bin')]);
    expect(both).toEqual([large, large]);
    expect(server.seen.filter((line) => line.startsWith('GET /cdn/'))).toHaveLength(1);
  });

  it('streams a checkpoint while it comes', async () => {
    const tensors = Object.fromEntries(
      Array.from({ length: 5 }, (_, i) => [
        `t${i}`,
        { dtype: 'F32' as const, shape: [50_000], data: new Float32Array(50_000).fill(i) },
      ]),
    );
    server.files = { 'model.safetensors': writeSafetensors(tensors) };
    const files = open(diskCache(folder));
    const checkpoint = await openCheckpoint(files);
    const seen: string[] = [];
    for await (const { info, data, last } of checkpoint.stream(checkpoint.tensors.keys(), { as: 'f32' })) {
      expect(data.every((value) => value === Number(info.name[1]))).toBe(true);
      if (last) seen.push(info.name);
    }
    await files.verified!();
    expect(seen).toEqual(['t0', 't1', 't2', 't3', 't4']);
  });
});
