// The cache on disk, in the layout of huggingface_hub: models--org--name/{refs,blobs,snapshots}. Blobs on their way have names of
// their own, because Python's downloads lock theirs in another way.
import { CheckpointError, quoted } from '../errors.ts';
import { checkPath, room } from '../files/files.ts';
import { checkRepo } from './address.ts';
import type { CachedBlob, CachedModel, HubCache, PartialBlob } from './cache.ts';
import { diskLock } from './disk-lock.ts';

const PARTIAL = '.transept-incomplete';
const LOCK = '.transept-lock';

/** Where huggingface_hub keeps its cache: HF_HUB_CACHE, HF_HOME/hub, or ~/.cache/huggingface/hub. */
export function defaultCacheFolder(): string {
  const { os, paths } = platform();
  const { HF_HUB_CACHE: cache, HF_HOME: home, XDG_CACHE_HOME: xdg } = process.env;
  return cache || paths.join(home || paths.join(xdg || paths.join(os.homedir(), '.cache'), 'huggingface'), 'hub');
}

function platform() {
  const get = globalThis.process?.getBuiltinModule;
  const [fs, paths, os] = [get?.('node:fs/promises'), get?.('node:path'), get?.('node:os')];
  if (!fs || !paths || !os)
    throw new CheckpointError('diskCache: there is no file system here; in a browser use browserCache()');
  return { fs, paths, os };
}

/** A cache in a folder, made when something is kept in it. */
export function diskCache(folder: string = defaultCacheFolder()): HubCache {
  const { fs, paths } = platform();
  const place = (repo: string, ...rest: string[]): string => {
    checkRepo(repo);
    return paths.join(folder, `models--${repo.replace('/', '--')}`, ...rest);
  };
  const blobPath = (repo: string, id: string): string => {
    if (!/^[\w.-]+$/.test(id)) throw new CheckpointError(`diskCache: ${quoted(id)} is no name of a blob`);
    return place(repo, 'blobs', id);
  };
  const within = (kind: 'snapshots' | '.no_exist', repo: string, commit: string, path: string): string => {
    checkPath(commit);
    checkPath(path);
    return place(repo, kind, commit, path);
  };
  const folderOf = (path: string): Promise<unknown> =>
    fs.mkdir(paths.dirname(path), { recursive: true }).catch((cause) => failed(`make a folder for ${path}`, cause));
  const failed = (what: string, cause: unknown): never => {
    throw new CheckpointError(`diskCache: cannot ${what}: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`, {
      cause,
    });
  };

  const read = async (
    path: string,
    start: number,
    end: number,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const handle = await fs.open(path, 'r').catch((cause) => failed(`read ${path}`, cause));
    try {
      const bytes = room(end - start, into);
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0)
          throw new CheckpointError(
            `diskCache: ${path} ended at byte ${start + done} while bytes ${start} to ${end} were read`,
          );
        done += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  };

  const blobAt = async (path: string): Promise<CachedBlob | undefined> => {
    const stat = await fs.stat(path).catch(() => undefined);
    if (!stat?.isFile()) return undefined;
    return { size: stat.size, read: (start, end, into) => read(path, start, end, into) };
  };

  return {
    name: folder,

    async commitOf(repo, revision) {
      checkPath(revision);
      const text = await fs.readFile(place(repo, 'refs', revision), 'utf8').catch(() => undefined);
      return text && /^[0-9a-f]{40}$/.test(text.trim()) ? text.trim() : undefined;
    },

    async setCommit(repo, revision, commit) {
      checkPath(revision);
      const path = place(repo, 'refs', revision);
      await folderOf(path);
      await fs.writeFile(path, commit).catch((cause) => failed(`write ${path}`, cause));
    },

    find: (repo, commit, path) => blobAt(within('snapshots', repo, commit, path)),
    blob: (repo, id) => blobAt(blobPath(repo, id)),
    isAbsent: async (repo, commit, path) => (await blobAt(within('.no_exist', repo, commit, path))) !== undefined,

    async setAbsent(repo, commit, path) {
      const at = within('.no_exist', repo, commit, path);
      await folderOf(at);
      await fs.writeFile(at, '').catch((cause) => failed(`write ${at}`, cause));
    },

    async link(repo, commit, path, id) {
      const [from, to] = [within('snapshots', repo, commit, path), blobPath(repo, id)];
      if (await blobAt(from)) return;
      await folderOf(from);
      await fs.rm(from, { force: true });
      try {
        await fs.symlink(paths.relative(paths.dirname(from), to), from);
      } catch {
        // Windows keeps links for administrators: there the blob itself lies in the snapshot, as Python does it.
        await fs.rename(to, from).catch((cause) => failed(`move ${to}`, cause));
      }
    },

    async open(repo, id, signal) {
      const whole = blobPath(repo, id);
      const partial = whole + PARTIAL;
      await folderOf(whole);
      const lock = await diskLock(fs, whole + LOCK, signal).catch((cause) => {
        signal?.throwIfAborted();
        return failed(`lock ${whole}`, cause);
      });
      try {
        // The first process to finish has made it whole while this one waited.
        const done = await blobAt(whole);
        if (done) return { ...finished(done), close: () => lock.release() };
        const handle = await fs.open(partial, 'a').catch((cause) => failed(`write ${partial}`, cause));
        let { size } = await handle.stat();
        let at = partial;
        let open = true;
        const close = async (): Promise<void> => {
          if (!open) return;
          open = false;
          await handle.close();
        };
        const blob: PartialBlob = {
          get size() {
            return size;
          },
          async append(bytes) {
            await handle.appendFile(bytes).catch((cause) => failed(`write ${partial}`, cause));
            size += bytes.length;
          },
          read: (start, end, into) => read(at, start, end, into),
          async clear() {
            await handle.truncate(0);
            size = 0;
          },
          async finish() {
            if (!(await lock.held()))
              throw new CheckpointError(
                `diskCache: ${partial} was taken over by another process while this one did not run; open it again`,
              );
            await handle.sync();
            await close();
            await fs.rename(partial, whole).catch((cause) => failed(`move ${partial}`, cause));
            at = whole;
            await lock.release();
          },
          async close() {
            if (!open) return;
            await close();
            await lock.release();
          },
        };
        return blob;
      } catch (error) {
        await lock.release();
        throw error;
      }
    },

    async models() {
      const names = await fs.readdir(folder).catch(() => []);
      const models: CachedModel[] = [];
      for (const name of names.sort()) {
        const [, org, model] = /^models--(.+?)--(.+)$/.exec(name) ?? [];
        if (org === undefined || model === undefined) continue;
        const at = paths.join(folder, name);
        const files = new Set<string>();
        for (const commit of await fs.readdir(paths.join(at, 'snapshots')).catch(() => []))
          for (const file of await listed(paths.join(at, 'snapshots', commit))) files.add(file);
        models.push({
          repo: `${org}/${model}`,
          bytes: await bytesIn(at),
          revisions: (await listed(paths.join(at, 'refs'))).sort(),
          files: [...files].sort(),
        });
      }
      return models;
    },

    async remove(repo) {
      const at = place(repo);
      if (!(await fs.stat(at).catch(() => undefined))) return false;
      await fs.rm(at, { recursive: true }).catch((cause) => failed(`delete ${at}`, cause));
      return true;
    },
  };

  /** Paths of the files below a folder, links that lead nowhere left out. */
  async function listed(at: string): Promise<string[]> {
    const entries = await fs.readdir(at, { recursive: true, withFileTypes: true }).catch(() => []);
    const found: string[] = [];
    for (const entry of entries) {
      const path = paths.join(entry.parentPath, entry.name);
      if ((await fs.stat(path).catch(() => undefined))?.isFile())
        found.push(paths.relative(at, path).split(paths.sep).join('/'));
    }
    return found;
  }

  async function bytesIn(at: string): Promise<number> {
    const entries = await fs.readdir(at, { recursive: true, withFileTypes: true }).catch(() => []);
    let bytes = 0;
    for (const entry of entries) {
      const stat = await fs.lstat(paths.join(entry.parentPath, entry.name)).catch(() => undefined);
      if (stat?.isFile()) bytes += stat.size;
    }
    return bytes;
  }
}

/** A blob that is whole, for one who came to write it. */
function finished(blob: CachedBlob): Omit<PartialBlob, 'close'> {
  const refuse = async (): Promise<never> => {
    throw new CheckpointError('diskCache: the blob is whole already');
  };
  return {
    size: blob.size,
    read: (start, end, into) => blob.read(start, end, into),
    append: refuse,
    clear: refuse,
    finish: async () => {},
  };
}
