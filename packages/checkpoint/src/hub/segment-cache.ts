// The cache in a browser, over any store of keys and small blobs: the origin private file system, the Cache API, or a Map. A blob
// lies in segments of equal size, each written whole, so that a download goes on where the last whole segment ended.
import { CheckpointError, quoted } from '../errors.ts';
import { blobBytes } from '../files/body.ts';
import { checkPath, room } from '../files/files.ts';
import { checkRepo } from './address.ts';
import type { CachedBlob, CachedModel, HubCache, PartialBlob } from './cache.ts';

/** Keys are names joined by `/`. */
export interface SegmentStore {
  readonly name: string;
  get(key: string): Promise<Blob | undefined>;
  put(key: string, value: Blob): Promise<void>;
  delete(key: string): Promise<void>;
  /** All keys that begin so. */
  keys(prefix: string): Promise<string[]>;
}

const SEGMENT_BYTES = 8 << 20;

export function segmentCache(store: SegmentStore, { segmentBytes = SEGMENT_BYTES } = {}): HubCache {
  const base = (repo: string): string => {
    checkRepo(repo);
    return `models--${repo.replace('/', '--')}`;
  };
  const blobKey = (repo: string, id: string): string => {
    if (!/^[\w.-]+$/.test(id)) throw new CheckpointError(`segmentCache: ${quoted(id)} is no name of a blob`);
    return `${base(repo)}/blobs/${id}`;
  };
  const inner = (path: string): string => {
    checkPath(path);
    return path.split('/').map(encodeURIComponent).join('/');
  };
  const refKey = (repo: string, revision: string): string => `${base(repo)}/refs/${inner(revision)}`;
  const snapshotKey = (repo: string, commit: string, path: string): string =>
    `${base(repo)}/snapshots/${inner(commit)}/${inner(path)}`;
  const absentKey = (repo: string, commit: string, path: string): string =>
    `${base(repo)}/absent/${inner(commit)}/${inner(path)}`;
  const text = async (key: string): Promise<string | undefined> => (await store.get(key))?.text();

  /** Bytes of segments, of which the last may be on its way still. */
  const read = async (
    key: string,
    start: number,
    end: number,
    into: Uint8Array<ArrayBuffer> | undefined,
    tail?: Tail,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const out = room(end - start, into);
    for (let at = start; at < end;) {
      const segment = Math.floor(at / segmentBytes);
      const from = at - segment * segmentBytes;
      const to = Math.min(segmentBytes, end - segment * segmentBytes);
      const place = out.subarray(at - start, at - start + to - from);
      const held = tail && segment === tail.segment ? tail.bytes.subarray(from, to) : undefined;
      const stored = held ? undefined : await store.get(`${key}/${segment}`);
      if (held) place.set(held);
      if ((held ?? (stored && (await blobBytes(stored.slice(from, to), place))))?.length !== place.length)
        throw new CheckpointError(
          `segmentCache: a part of ${key} is missing in ${store.name}; delete the model and load it again`,
        );
      at += place.length;
    }
    return out;
  };

  const blob = async (repo: string, id: string): Promise<CachedBlob | undefined> => {
    const key = blobKey(repo, id);
    const size = Number((await text(`${key}/size`)) ?? NaN);
    return Number.isSafeInteger(size) ? { size, read: (start, end, into) => read(key, start, end, into) } : undefined;
  };

  return {
    name: store.name,
    async commitOf(repo, revision) {
      const commit = await text(refKey(repo, revision));
      return commit && /^[0-9a-f]{40}$/.test(commit) ? commit : undefined;
    },
    setCommit: (repo, revision, commit) => store.put(refKey(repo, revision), new Blob([commit])),
    async find(repo, commit, path) {
      const id = await text(snapshotKey(repo, commit, path));
      return id === undefined ? undefined : blob(repo, id);
    },
    blob,
    isAbsent: async (repo, commit, path) => (await store.get(absentKey(repo, commit, path))) !== undefined,
    setAbsent: (repo, commit, path) => store.put(absentKey(repo, commit, path), new Blob([])),
    link: (repo, commit, path, id) => store.put(snapshotKey(repo, commit, path), new Blob([id])),

    async open(repo, id, signal) {
      const key = blobKey(repo, id);
      const unlock = await lock(key, signal);
      let segment = 0;
      while (await store.get(`${key}/${segment}`)) segment++;
      const tail: Tail = { segment, bytes: new Uint8Array(segmentBytes), held: 0 };
      const put = (length: number): Promise<void> =>
        store.put(`${key}/${tail.segment}`, new Blob([tail.bytes.slice(0, length)]));
      const partial: PartialBlob = {
        get size() {
          return tail.segment * segmentBytes + tail.held;
        },
        async append(bytes) {
          for (let at = 0; at < bytes.length;) {
            const count = Math.min(segmentBytes - tail.held, bytes.length - at);
            tail.bytes.set(bytes.subarray(at, at + count), tail.held);
            tail.held += count;
            at += count;
            if (tail.held < segmentBytes) continue;
            await put(segmentBytes);
            tail.segment++;
            tail.held = 0;
          }
        },
        read: (start, end, into) => read(key, start, end, into, tail),
        async clear() {
          for (const old of await store.keys(`${key}/`)) await store.delete(old);
          tail.segment = 0;
          tail.held = 0;
        },
        async finish() {
          if (tail.held > 0) await put(tail.held);
          await store.put(`${key}/size`, new Blob([String(partial.size)]));
          unlock();
        },
        close: async () => unlock(),
      };
      const whole = await blob(repo, id);
      if (!whole) return partial;
      return {
        ...partial,
        size: whole.size,
        read: (start, end, into) => whole.read(start, end, into),
        finish: async () => unlock(),
      };
    },

    async models() {
      const found = new Map<string, { bytes: number; revisions: Set<string>; files: Set<string> }>();
      for (const key of await store.keys('models--')) {
        const [, org, name, kind, rest] = /^models--(.+?)--([^/]+)\/(refs|blobs|snapshots)\/(.+)$/.exec(key) ?? [];
        if (org === undefined || name === undefined || rest === undefined) continue;
        const repo = `${org}/${name}`;
        const model = found.get(repo) ?? { bytes: 0, revisions: new Set(), files: new Set() };
        found.set(repo, model);
        const path = rest.split('/').map(decodeURIComponent);
        if (kind === 'refs') model.revisions.add(path.join('/'));
        else if (kind === 'snapshots') model.files.add(path.slice(1).join('/'));
        else model.bytes += (await store.get(key))?.size ?? 0;
      }
      return [...found]
        .map(([repo, { bytes, revisions, files }]): CachedModel => ({
          repo,
          bytes,
          revisions: [...revisions].sort(),
          files: [...files].sort(),
        }))
        .sort((a, b) => (a.repo < b.repo ? -1 : 1));
    },

    async remove(repo) {
      const keys = await store.keys(`${base(repo)}/`);
      for (const key of keys) await store.delete(key);
      return keys.length > 0;
    },
  };
}

/** The segment that is being filled. */
interface Tail {
  segment: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  held: number;
}

/** Tabs of one origin take turns. Where there are no locks, nobody shares. */
async function lock(name: string, signal?: AbortSignal): Promise<() => void> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return () => {};
  return new Promise((resolve, reject) => {
    const held = locks.request(
      `transept:${name}`,
      signal ? { signal } : {},
      () => new Promise<void>((release) => resolve(release)),
    );
    held.catch(reject);
  });
}
