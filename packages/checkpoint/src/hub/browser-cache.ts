// Where a browser keeps a cache: the origin private file system, or the Cache API where files cannot be written from a page.
import { CheckpointError } from '../errors.ts';
import type { HubCache } from './cache.ts';
import { segmentCache, type SegmentStore } from './segment-cache.ts';

const FOLDER = 'transept';

/** Throws a CheckpointError where the page has neither, as without HTTPS. */
export async function browserCache(): Promise<HubCache> {
  return segmentCache((await originFiles()) ?? (await cacheStorage()));
}

/** Undefined where there is no such file system, or none that a page can write to. */
async function originFiles(): Promise<SegmentStore | undefined> {
  if (!globalThis.FileSystemFileHandle?.prototype.createWritable) return undefined;
  const root = await globalThis.navigator?.storage
    ?.getDirectory?.()
    .then((origin) => origin.getDirectoryHandle(FOLDER, { create: true }))
    .catch(() => undefined);
  if (!root) return undefined;
  const split = (key: string): { folders: string[]; file: string } => {
    const folders = key.split('/');
    return { file: folders.pop()!, folders };
  };
  /** Folders to read from: every step to one asks another process. */
  const known = new Map<string, Promise<FileSystemDirectoryHandle>>();
  const folderToRead = (names: readonly string[]): Promise<FileSystemDirectoryHandle> => {
    if (names.length === 0) return Promise.resolve(root);
    const path = names.join('/');
    const folder =
      known.get(path) ?? folderToRead(names.slice(0, -1)).then((parent) => parent.getDirectoryHandle(names.at(-1)!));
    known.set(path, folder);
    // What is missing now may come.
    folder.catch(() => known.delete(path));
    return folder;
  };
  const folderToWrite = async (names: readonly string[]): Promise<FileSystemDirectoryHandle> => {
    let at = root;
    for (const name of names) at = await at.getDirectoryHandle(name, { create: true });
    return at;
  };
  async function* below(folder: FileSystemDirectoryHandle, path: string): AsyncGenerator<string> {
    for await (const [name, handle] of folder.entries())
      if (handle.kind === 'file') yield path + name;
      else yield* below(handle as FileSystemDirectoryHandle, `${path}${name}/`);
  }
  return {
    name: 'the origin private file system',
    async get(key) {
      const { folders, file } = split(key);
      try {
        return await (await (await folderToRead(folders)).getFileHandle(file)).getFile();
      } catch (error) {
        if ((error as DOMException).name === 'NotFoundError') return undefined;
        throw error;
      }
    },
    async put(key, value) {
      const { folders, file } = split(key);
      const handle = await (await folderToWrite(folders)).getFileHandle(file, { create: true });
      // What is written appears in the file when it is closed.
      const writable = await handle.createWritable();
      await writable.write(value);
      await writable.close();
    },
    async delete(key) {
      const { folders, file } = split(key);
      await (await folderToRead(folders)).removeEntry(file);
    },
    async keys(prefix) {
      const found: string[] = [];
      for await (const key of below(root, '')) if (key.startsWith(prefix)) found.push(key);
      return found;
    },
  };
}

async function cacheStorage(): Promise<SegmentStore> {
  if (!globalThis.caches)
    throw new CheckpointError('browserCache: this page has no storage; it needs HTTPS or localhost, or another cache');
  const cache = await caches.open(FOLDER);
  // Entries are named by addresses; nothing is ever fetched from these.
  const base = 'https://transept.invalid/';
  return {
    name: 'the Cache API',
    get: async (key) => (await cache.match(base + key))?.blob(),
    put: (key, value) => cache.put(base + key, new Response(value)),
    delete: async (key) => void (await cache.delete(base + key)),
    keys: async (prefix) =>
      (await cache.keys()).map(({ url }) => url.slice(base.length)).filter((key) => key.startsWith(prefix)),
  };
}
